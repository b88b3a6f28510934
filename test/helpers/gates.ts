import { setTimeout as delay } from "node:timers/promises";
import { openSql } from "./sql.js";
import type { Sql } from "./sql.js";

/** Holds what is under way in a Postgres database, so that a test can tell who comes first. */
export interface Gate {
  /** Resolves when so many statements wait in the database, for the gate or for each other, or when `instead` holds. */
  waiting: (count: number, instead?: () => Promise<boolean>) => Promise<void>;
  open: () => Promise<void>;
}

/** Whoever inserts into the table waits for the gate, in the middle of the transaction. */
export async function gateInsertsInto(databaseUrl: string, table: string): Promise<Gate> {
  const sql = await openSql(databaseUrl);
  await sql("SELECT pg_advisory_lock(1)");
  await sql(`CREATE FUNCTION wait_for_gate() RETURNS trigger LANGUAGE plpgsql
    AS 'BEGIN PERFORM pg_advisory_xact_lock(1); RETURN NEW; END'`);
  await sql(`CREATE TRIGGER gate BEFORE INSERT ON "${table}" FOR EACH ROW EXECUTE FUNCTION wait_for_gate()`);
  return gate(databaseUrl, () => sql("SELECT pg_advisory_unlock(1)"));
}

/** Whoever wants to write the row waits for the gate; who waits first is first. */
export async function gateRow(databaseUrl: string, table: string, id: string): Promise<Gate> {
  const sql = await openSql(databaseUrl);
  await sql("BEGIN");
  await sql(`SELECT 1 FROM "${table}" WHERE "id" = '${id}' FOR UPDATE`);
  return gate(databaseUrl, () => sql("ROLLBACK"));
}

/** Whoever reads the table waits for the gate. `sql` writes behind it: what it has written is there when the gate is open. */
export async function gateReadsOf(databaseUrl: string, table: string): Promise<Gate & { sql: Sql }> {
  const sql = await openSql(databaseUrl);
  await sql("BEGIN");
  await sql(`LOCK TABLE "${table}" IN ACCESS EXCLUSIVE MODE`);
  return { ...(await gate(databaseUrl, () => sql("COMMIT"))), sql };
}

// In a transaction Postgres would tell of one moment again and again.
async function gate(databaseUrl: string, open: () => Promise<unknown>): Promise<Gate> {
  const sql = await openSql(databaseUrl);
  return {
    waiting: async (count, instead = () => Promise.resolve(false)) => {
      while ((await countWaiting(sql)) < count && !(await instead())) await delay(5);
    },
    open: async () => {
      await open();
    },
  };
}

async function countWaiting(sql: Sql): Promise<number> {
  const rows = await sql(
    "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
  );
  return rows.length;
}
