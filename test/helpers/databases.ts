import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { describe } from "@jest/globals";
import pg from "pg";

export type DatabaseKind = "sqlite" | "postgresql";

/** What works on SQLite works on Postgres: the suite runs once on each. */
export function onEachDatabase(name: string, suite: (kind: DatabaseKind) => void): void {
  describe.each<DatabaseKind>(["sqlite", "postgresql"])(`${name} (%s)`, suite);
}

/** The DATABASE_URL of a fresh, empty database. */
export async function freshDatabaseUrl(
  kind: DatabaseKind,
  folder: string,
  options: { migrated?: boolean } = {},
): Promise<string> {
  if (kind === "sqlite") return `file:${join(folder, "parley.db")}`;
  const url = new URL(process.env["PARLEY_TEST_POSTGRES_URL"] ?? "");
  const name = `t_${randomUUID().replaceAll("-", "")}`;
  const administrator = new pg.Client({ connectionString: url.href });
  await administrator.connect();
  const template = (options.migrated ?? true) ? " TEMPLATE parley_template" : "";
  await administrator.query(`CREATE DATABASE ${name}${template}`);
  await administrator.end();
  url.pathname = `/${name}`;
  return url.href;
}
