import type { Sql } from "./sql.js";

const refusal = "the test refuses it";

/** From now on the database takes every write but those that end a turn, until what is returned is called. */
export function refuseEnds(sql: Sql, databaseUrl: string): Promise<() => Promise<void>> {
  return refuse(sql, databaseUrl, {
    table: "Turn",
    write: "UPDATE",
    when: 'NEW."activeConversationId" IS NULL',
  });
}

/** From now on the database takes no write to a turn that runs, until what is returned is called. */
export function refuseRenewals(sql: Sql, databaseUrl: string): Promise<() => Promise<void>> {
  return refuse(sql, databaseUrl, {
    table: "Turn",
    write: "UPDATE",
    when: 'NEW."activeConversationId" IS NOT NULL',
  });
}

/** From now on the database takes no call to the model, until what is returned is called. */
export function refuseCalls(sql: Sql, databaseUrl: string): Promise<() => Promise<void>> {
  return refuse(sql, databaseUrl, { table: "ModelCall", write: "INSERT", when: 'NEW."id" IS NOT NULL' });
}

/** From now on the database lets no turn go behind the first `count` of a conversation, until what is returned is called. */
export function refuseRemovals(sql: Sql, databaseUrl: string, count: number): Promise<() => Promise<void>> {
  return refuse(sql, databaseUrl, { table: "Turn", write: "DELETE", when: `OLD."position" > ${count}` });
}

interface Refused {
  table: string;
  write: "INSERT" | "UPDATE" | "DELETE";
  when: string;
}

async function refuse(sql: Sql, databaseUrl: string, { table, write, when }: Refused) {
  const trigger = `CREATE TRIGGER refuse_it BEFORE ${write} ON "${table}"`;
  const condition = `WHEN (${when})`;
  if (databaseUrl.startsWith("file:")) {
    await sql(`${trigger} ${condition} BEGIN SELECT RAISE(ABORT, '${refusal}'); END`);
    return () => sql("DROP TRIGGER refuse_it").then(() => undefined);
  }
  await sql(`CREATE FUNCTION refuse_it() RETURNS trigger LANGUAGE plpgsql
    AS $$ BEGIN RAISE EXCEPTION '${refusal}'; END $$`);
  await sql(`${trigger} FOR EACH ROW ${condition} EXECUTE FUNCTION refuse_it()`);
  return () => sql(`DROP TRIGGER refuse_it ON "${table}"`).then(() => undefined);
}
