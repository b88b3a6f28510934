import pg from "pg";
import { migrate } from "../../src/db/migrations.js";
import { startPostgres } from "../../scripts/embedded-postgres.js";
import type { PostgresServer } from "../../scripts/embedded-postgres.js";

/** One PostgreSQL for the whole run; each test makes its own database in it, most of them from a migrated template. */
export async function startPostgresWithTemplate(): Promise<PostgresServer> {
  const postgres = await startPostgres();
  const administrator = new pg.Client({ connectionString: postgres.url });
  await administrator.connect();
  await administrator.query("CREATE DATABASE parley_template");
  await administrator.end();
  const template = new URL(postgres.url);
  template.pathname = "/parley_template";
  await migrate({ kind: "postgresql", url: template.href });
  return postgres;
}
