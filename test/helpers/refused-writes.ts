import type { Sql } from "./sql.js";

const refusal = "the test refuses it";

/** From now on the database takes every write but those that end a turn, until what is returned is called. */
export function refuseEnds(sql: Sql, databaseUrl: string): Promise<() => Promise<void>> {
  return refuseUpdates(sql, databaseUrl, "NULL");
}

/** From now on the database takes no write to a turn that runs, until what is returned is called. */
export function refuseRenewals(sql: Sql, databaseUrl: string): Promise<() => Promise<void>> {
  return refuseUpdates(sql, databaseUrl, "NOT NULL");
}

/** `active`: what the column of turns that run becomes by the write. */
async function refuseUpdates(sql: Sql, databaseUrl: string, active: "NULL" | "NOT NULL") {
  const trigger = 'CREATE TRIGGER refuse_it BEFORE UPDATE ON "Turn"';
  const condition = `WHEN (NEW."activeConversationId" IS ${active})`;
  if (databaseUrl.startsWith("file:")) {
    await sql(`${trigger} ${condition} BEGIN SELECT RAISE(ABORT, '${refusal}'); END`);
    return () => sql("DROP TRIGGER refuse_it").then(() => undefined);
  }
  await sql(`CREATE FUNCTION refuse_it() RETURNS trigger LANGUAGE plpgsql
    AS $$ BEGIN RAISE EXCEPTION '${refusal}'; END $$`);
  await sql(`${trigger} FOR EACH ROW ${condition} EXECUTE FUNCTION refuse_it()`);
  return () => sql('DROP TRIGGER refuse_it ON "Turn"').then(() => undefined);
}
