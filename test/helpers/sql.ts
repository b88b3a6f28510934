import { afterEach } from "@jest/globals";
import BetterSqlite3 from "better-sqlite3";
import pg from "pg";

/** Sends one statement and answers its rows. */
export type Sql = (statement: string) => Promise<unknown[]>;

/** A connection beside the server's, straight to the tables; closed after the test. */
export async function openSql(databaseUrl: string): Promise<Sql> {
  if (databaseUrl.startsWith("file:")) {
    const connection = new BetterSqlite3(databaseUrl.slice("file:".length));
    connection.pragma("foreign_keys = ON");
    closers.add(() => connection.close());
    return (statement) => Promise.resolve().then(() => runOnSqlite(connection, statement));
  }
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  closers.add(() => client.end());
  return async (statement) => (await client.query<Record<string, unknown>>(statement)).rows;
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
