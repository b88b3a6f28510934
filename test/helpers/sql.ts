import { setTimeout as delay } from "node:timers/promises";
import { afterEach } from "@jest/globals";
import BetterSqlite3 from "better-sqlite3";
import pg from "pg";
import { codeOfError } from "../../src/code-of-error.js";

/** Sends one statement and answers its rows. */
export type Sql = (statement: string) => Promise<unknown[]>;

/** A connection beside the server's, straight to the tables; closed after the test. */
export async function openSql(databaseUrl: string): Promise<Sql> {
  if (databaseUrl.startsWith("file:")) {
    const connection = new BetterSqlite3(databaseUrl.slice("file:".length), { timeout: 0 });
    connection.pragma("foreign_keys = ON");
    closers.add(() => connection.close());
    return (statement) => inTurn(() => runOnSqlite(connection, statement));
  }
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  closers.add(() => client.end());
  return async (statement) => (await client.query<Record<string, unknown>>(statement)).rows;
}

/** SQLite itself would wait by standing still, and with it the server in this process whose transaction it waits for. */
async function inTurn(run: () => unknown[]): Promise<unknown[]> {
  for (;;) {
    try {
      return run();
    } catch (error) {
      if (codeOfError(error) !== "SQLITE_BUSY") throw error;
      await delay(5);
    }
  }
}

function runOnSqlite(connection: BetterSqlite3.Database, statement: string): unknown[] {
  const prepared = connection.prepare(statement);
  if (prepared.reader) return prepared.all();
  prepared.run();
  return [];
}

const closers = new Set<() => unknown>();

afterEach(async () => {
  for (const close of closers) await close();
  closers.clear();
});
