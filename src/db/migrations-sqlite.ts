import { setTimeout as delay } from "node:timers/promises";
import BetterSqlite3 from "better-sqlite3";
import { codeOfError } from "../code-of-error.js";
import type { MigrationTransaction } from "./migration-transaction.js";

const lockTimeoutMs = 30_000;

/** Waits up to 30 s for another process's migration; SQLite's write lock is the lock. */
export async function lockSqlite(path: string): Promise<MigrationTransaction> {
  const connection = new BetterSqlite3(path, { timeout: lockTimeoutMs });
  try {
    // The mode is kept in the file; setting it while others hold the lock would fail, so not inside the transaction.
    await switchToWal(connection);
    // A migration that makes a table anew drops the old one; with foreign keys on, that would delete every row that
    // refers to it. They are checked as a whole before the commit instead.
    connection.pragma("foreign_keys = OFF");
    connection.exec("BEGIN IMMEDIATE");
  } catch (error) {
    connection.close();
    throw error;
  }
  const end = (statement: string) => {
    if (connection.inTransaction) connection.exec(statement);
    connection.close();
    return Promise.resolve();
  };
  return {
    run: (sql, parameters) => {
      run(connection, sql, parameters);
      return Promise.resolve();
    },
    appliedNames: () => Promise.resolve(appliedNames(connection)),
    commit: () => {
      checkForeignKeys(connection);
      return end("COMMIT");
    },
    rollback: () => end("ROLLBACK"),
  };
}

/** Two connections that switch a fresh file at once would wait for each other, so SQLite refuses one without waiting. */
async function switchToWal(connection: BetterSqlite3.Database): Promise<void> {
  const deadline = Date.now() + lockTimeoutMs;
  for (;;) {
    try {
      connection.pragma("journal_mode = WAL");
      return;
    } catch (error) {
      if (!isBusy(error) || Date.now() > deadline) throw error;
      await delay(20);
    }
  }
}

/** Whether SQLite refused a statement because of another connection's lock. */
export function isBusy(error: unknown): boolean {
  return codeOfError(error)?.startsWith("SQLITE_BUSY") === true;
}

function run(connection: BetterSqlite3.Database, sql: string, parameters: (string | number)[] = []): void {
  if (parameters.length === 0) connection.exec(sql);
  // Numbered parameters as Postgres writes them are named parameters to SQLite.
  else connection.prepare(sql).run(Object.fromEntries(parameters.map((value, index) => [index + 1, value])));
}

function appliedNames(connection: BetterSqlite3.Database): string[] {
  const table = connection.prepare("SELECT 1 FROM sqlite_master WHERE name = '_prisma_migrations'").get();
  if (table === undefined) return [];
  return connection
    .prepare(
      'SELECT "migration_name" FROM "_prisma_migrations" WHERE "finished_at" IS NOT NULL AND "rolled_back_at" IS NULL',
    )
    .pluck()
    .all()
    .map(String);
}

function checkForeignKeys(connection: BetterSqlite3.Database): void {
  const broken = connection.pragma("foreign_key_check");
  if (!Array.isArray(broken) || broken.length === 0) return;
  connection.close();
  throw new Error(`The migrations would leave ${broken.length} rows that refer to missing rows.`);
}
