import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { entriesUnder, unlessGone } from "./files.js";
import type { TestParley } from "./parley.js";
import { openSql } from "./sql.js";
import type { Sql } from "./sql.js";

/** Every row of every table but those of the migrations, as text, by table. */
export async function everyRow(databaseUrl: string): Promise<Map<string, string>> {
  const sql = await openSql(databaseUrl);
  const rows = new Map<string, string>();
  for (const table of await tableNames(sql, databaseUrl)) {
    const found = await sql(`SELECT * FROM "${table}"`);
    rows.set(
      table,
      JSON.stringify(found, (_key, value: unknown) => (typeof value === "bigint" ? String(value) : value)),
    );
  }
  return rows;
}

async function tableNames(sql: Sql, databaseUrl: string): Promise<string[]> {
  const query = databaseUrl.startsWith("file:")
    ? "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
    : "SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'";
  const tables = (await sql(query)) as { name: string }[];
  return tables.map(({ name }) => name).filter((name) => name !== "_prisma_migrations");
}

/** Where the word is found: tables, and paths of files of the audio store by name or content. */
export async function tracesOf(parley: TestParley, word: string): Promise<string[]> {
  const rows = await everyRow(parley.databaseUrl);
  const tables = [...rows].filter(([, text]) => text.includes(word)).map(([table]) => table);
  const files: string[] = [];
  for (const { path, isFile } of await entriesUnder(join(parley.dataDir, "audio"))) {
    const content = isFile ? await unlessGone(readFile(path)) : null;
    if (path.includes(word) || content?.includes(word) === true) files.push(path);
  }
  return [...tables, ...files];
}
