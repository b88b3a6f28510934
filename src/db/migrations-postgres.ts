import pg from "pg";
import type { MigrationTransaction } from "./migration-transaction.js";

// Any number that nothing else takes; Prisma's own command line uses this one for the same purpose.
const lockNumber = 72707369;

/** Waits for another process's migration, as long as it takes; the advisory lock goes with the transaction. */
export async function lockPostgres(url: string): Promise<MigrationTransaction> {
  const connection = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000 });
  await connection.connect();
  try {
    await connection.query("BEGIN");
    await connection.query("SELECT pg_advisory_xact_lock($1)", [lockNumber]);
  } catch (error) {
    await connection.end();
    throw error;
  }
  const end = async (statement: string) => {
    try {
      await connection.query(statement);
    } finally {
      await connection.end();
    }
  };
  return {
    run: async (sql, parameters) => {
      await connection.query(sql, parameters);
    },
    appliedNames: () => appliedNames(connection),
    commit: () => end("COMMIT"),
    rollback: () => end("ROLLBACK"),
  };
}

async function appliedNames(connection: pg.Client): Promise<string[]> {
  const table = await connection.query<{ name: string | null }>(
    "SELECT to_regclass('_prisma_migrations')::text AS name",
  );
  if (table.rows[0]?.name == null) return [];
  const applied = await connection.query<{ migration_name: string }>(
    'SELECT "migration_name" FROM "_prisma_migrations" WHERE "finished_at" IS NOT NULL AND "rolled_back_at" IS NULL',
  );
  return applied.rows.map((row) => row.migration_name);
}
