/**
 * `npm run migration -- NAME` writes the next migration of each database: what prisma/models.prisma has and the
 * databases that all earlier migrations make have not. `npm run migration -- --check` only tells whether there is one.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DatabaseConfig } from "../src/config/config.js";
import { migrate } from "../src/db/migrations.js";
import { startPostgres } from "./embedded-postgres.js";
import { diffWithModels } from "./schema-engine.js";

async function pendingSql(database: DatabaseConfig): Promise<string | null> {
  await migrate(database);
  return diffWithModels(database);
}

/** The same for both databases. */
const time = new Date().toISOString().replace(/\D/g, "").slice(0, 14);

function write(kind: DatabaseConfig["kind"], name: string, sql: string): void {
  const folder = `prisma/${kind}/migrations/${time}_${name}`;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "migration.sql"), sql);
  process.stdout.write(`Wrote ${folder}/migration.sql. Read it before you commit it.\n`);
}

async function main(argument: string | undefined): Promise<number> {
  if (argument === undefined || !/^(--check|[a-z0-9_]+)$/.test(argument)) {
    process.stderr.write(
      "Usage: npm run migration -- NAME (lower case, digits, _) or npm run migration -- --check\n",
    );
    return 2;
  }
  const folder = mkdtempSync(join(tmpdir(), "parley-migration-"));
  const postgres = await startPostgres();
  try {
    const databases: DatabaseConfig[] = [
      { kind: "sqlite", path: join(folder, "parley.db") },
      { kind: "postgresql", url: postgres.url },
    ];
    let pending = 0;
    for (const database of databases) {
      const sql = await pendingSql(database);
      if (sql === null) continue;
      pending += 1;
      if (argument === "--check") process.stdout.write(`${database.kind} lacks a migration:\n${sql}\n`);
      else write(database.kind, argument, sql);
    }
    if (pending === 0) process.stdout.write("The migrations make what prisma/models.prisma describes.\n");
    return argument === "--check" && pending > 0 ? 1 : 0;
  } finally {
    await postgres.stop();
    rmSync(folder, { recursive: true });
  }
}

// Not process.exitCode, which embedded-postgres turns into 0.
process.exit(await main(process.argv[2]));
