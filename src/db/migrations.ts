import { createHash, randomUUID } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import type { DatabaseConfig } from "../config/config.js";
import { lockPostgres } from "./migrations-postgres.js";
import { lockSqlite } from "./migrations-sqlite.js";
import type { MigrationTransaction } from "./migration-transaction.js";

export interface Migration {
  name: string;
  sql: string;
}

/** The database was made by a newer Parley, or a migration failed. The message says what to do. */
export class MigrationError extends Error {
  override readonly name = "MigrationError";
}

// Prisma's own table, so that its command line sees the same history.
const historyTable = `CREATE TABLE IF NOT EXISTS "_prisma_migrations" (
  "id" VARCHAR(36) PRIMARY KEY NOT NULL,
  "checksum" VARCHAR(64) NOT NULL,
  "finished_at" TIMESTAMP,
  "migration_name" VARCHAR(255) NOT NULL,
  "logs" TEXT,
  "rolled_back_at" TIMESTAMP,
  "started_at" TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
  "applied_steps_count" INTEGER NOT NULL DEFAULT 0
)`;

/**
 * Applies the migrations that the database lacks, all in one transaction, and answers their names. Servers that start
 * together wait for each other: the first applies, the others find nothing to do.
 */
export async function migrate(config: DatabaseConfig): Promise<string[]> {
  const known = await readMigrations(config.kind);
  const transaction = await (config.kind === "sqlite" ? lockSqlite(config.path) : lockPostgres(config.url));
  let pending: Migration[];
  try {
    pending = pendingMigrations(known, await transaction.appliedNames());
    if (pending.length > 0) await transaction.run(historyTable);
    for (const migration of pending) await apply(transaction, migration);
  } catch (error) {
    await transaction.rollback();
    throw error;
  }
  await transaction.commit();
  return pending.map(({ name }) => name);
}

/** The migrations of one database, oldest first. */
export async function readMigrations(kind: DatabaseConfig["kind"]): Promise<Migration[]> {
  const folder = new URL(`../../prisma/${kind}/migrations/`, import.meta.url);
  const entries = await readdir(folder, { withFileTypes: true });
  const names = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  return Promise.all(
    names.sort().map(async (name) => ({
      name,
      sql: await readFile(new URL(`${name}/migration.sql`, folder), "utf8"),
    })),
  );
}

function pendingMigrations(known: Migration[], appliedNames: string[]): Migration[] {
  const names = new Set(known.map(({ name }) => name));
  const unknown = appliedNames.filter((name) => !names.has(name));
  if (unknown.length > 0) {
    throw new MigrationError(
      `The database was brought up to date by a newer version of Parley (it has ${unknown.join(", ")}). ` +
        "Run that version or a later one, or point DATABASE_URL at another database.",
    );
  }
  const applied = new Set(appliedNames);
  return known.filter(({ name }) => !applied.has(name));
}

async function apply(transaction: MigrationTransaction, { name, sql }: Migration): Promise<void> {
  try {
    await transaction.run(sql);
  } catch (error) {
    throw new MigrationError(
      `The migration ${name} failed and nothing of it was kept. Restore the schema that it expects, or report the error: ${String(error)}`,
      { cause: error },
    );
  }
  const checksum = createHash("sha256").update(sql).digest("hex");
  const now = new Date().toISOString();
  await transaction.run(
    `INSERT INTO "_prisma_migrations" ("id", "checksum", "finished_at", "migration_name", "started_at", "applied_steps_count") VALUES ($1, $2, $3, $4, $3, 1)`,
    [randomUUID(), checksum, now, name],
  );
}
