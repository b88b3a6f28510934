import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, describe, expect, it } from "@jest/globals";
import { parseConfig } from "../../src/config/parse-config.js";
import { openDatabase } from "../../src/db/database.js";
import type { Database } from "../../src/db/database.js";
import { migrate, readMigrations } from "../../src/db/migrations.js";
import { diffWithModels } from "../../scripts/schema-engine.js";
import { freshDatabaseUrl, onEachDatabase } from "../helpers/databases.js";
import type { DatabaseKind } from "../helpers/databases.js";
import { ChildProgram, temporaryFolder } from "../helpers/parley-process.js";
import { openSql } from "../helpers/sql.js";

const opened = new Set<Database>();
afterEach(async () => {
  for (const database of opened) await database.close();
  opened.clear();
});

function configOf(url: string) {
  return parseConfig({ DATABASE_URL: url }).database;
}

async function open(url: string): Promise<Database> {
  const database = await openDatabase(configOf(url));
  opened.add(database);
  return database;
}

async function emptyDatabase(kind: DatabaseKind): Promise<string> {
  return freshDatabaseUrl(kind, await temporaryFolder(), { migrated: false });
}

async function knownNames(kind: DatabaseKind): Promise<string[]> {
  return (await readMigrations(kind)).map(({ name }) => name);
}

const history = 'SELECT "migration_name" AS name FROM "_prisma_migrations" WHERE "finished_at" IS NOT NULL';
const tableNames = {
  sqlite: "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name",
  postgresql: "SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename",
} as const;

onEachDatabase("a database", (kind) => {
  it("that is empty is brought up to date when it is opened, and then left alone", async () => {
    const url = await emptyDatabase(kind);
    const names = await knownNames(kind);
    expect(names.length).toBeGreaterThan(0);
    expect((await open(url)).applied).toEqual(names);
    expect((await open(url)).applied).toEqual([]);
    const sql = await openSql(url);
    expect(await sql(history)).toEqual(names.map((name) => ({ name })));
  });

  it("that five servers open at once is brought up to date by one of them", async () => {
    const [url, folder] = [await emptyDatabase(kind), await temporaryFolder()];
    const programs = Array.from(
      { length: 5 },
      () => new ChildProgram("test/helpers/open-database.ts", folder, { DATABASE_URL: url }),
    );
    await Promise.all(programs.map((program) => program.printed("stdout", /waiting/)));
    for (const program of programs) program.signal("SIGUSR2");
    const ends = await Promise.all(programs.map((program) => program.ended));
    const names = JSON.stringify(await knownNames(kind));
    expect(ends.map(({ stderr }) => stderr)).toEqual(["", "", "", "", ""]);
    expect(ends.map(({ stdout }) => stdout.split("applied ")[1]?.trim()).sort()).toEqual(
      ["[]", "[]", "[]", "[]", names].sort(),
    );
    const sql = await openSql(url);
    expect(await sql(history)).toEqual((await knownNames(kind)).map((name) => ({ name })));
  }, 60_000);

  it("keeps nothing of a migration that fails", async () => {
    const url = await emptyDatabase(kind);
    const sql = await openSql(url);
    // The first migration makes this table among its last, so it fails when most of it is done.
    await sql('CREATE TABLE "IdempotencyKey" ("mine" INTEGER)');
    await expect(open(url)).rejects.toThrow(/^The migration \d+_\w+ failed and nothing of it was kept/);
    expect(await sql(tableNames[kind])).toEqual([{ name: "IdempotencyKey" }]);
    await sql('DROP TABLE "IdempotencyKey"');
    expect((await open(url)).applied).toEqual(await knownNames(kind));
  });

  it("that a newer version has brought up to date is refused and left as it is", async () => {
    const url = await emptyDatabase(kind);
    await open(url);
    const sql = await openSql(url);
    await sql(
      `INSERT INTO "_prisma_migrations" ("id", "checksum", "finished_at", "migration_name") VALUES ('x', 'x', CURRENT_TIMESTAMP, '29990101000000_future')`,
    );
    const before = [await sql(tableNames[kind]), await sql('SELECT * FROM "_prisma_migrations"')];
    await expect(open(url)).rejects.toThrow(/newer version of Parley \(it has 29990101000000_future\)/);
    expect([await sql(tableNames[kind]), await sql('SELECT * FROM "_prisma_migrations"')]).toEqual(before);
  });

  it("is made by its migrations as prisma/models.prisma describes it", async () => {
    const config = configOf(await emptyDatabase(kind));
    await migrate(config);
    expect(await diffWithModels(config)).toBeNull();
  });

  it("that lacks a column is told from what prisma/models.prisma describes", async () => {
    const url = await emptyDatabase(kind);
    await migrate(configOf(url));
    const sql = await openSql(url);
    await sql('ALTER TABLE "Conversation" DROP COLUMN "title"');
    expect(await diffWithModels(configOf(url))).toContain('"title"');
  });
});

describe("a SQLite database", () => {
  it("that another program is writing is brought up to date once that has ended", async () => {
    const url = await emptyDatabase("sqlite");
    const sql = await openSql(url);
    await sql("BEGIN IMMEDIATE");
    const [database] = await Promise.all([open(url), delay(300).then(() => sql("COMMIT"))]);
    expect(database.applied).toEqual(await knownNames("sqlite"));
  });
});

describe("a database that can't be opened is told with its address and a reason, never with a password", () => {
  it.each<[string, (url: URL) => void, string[], string?]>([
    [
      "no such user",
      (url) => Object.assign(url, { username: "stranger", password: "hunter2" }),
      ["stranger"],
    ],
    ["a wrong password", (url) => (url.password = "hunter2"), ["password"]],
    [
      "no such database",
      (url) => (url.pathname = "/absent"),
      ["/absent", "does not exist"],
      "createdb absent",
    ],
    ["nobody listens", (url) => (url.port = "1"), ["127.0.0.1:1/", "ECONNREFUSED"]],
    ["no such host", (url) => (url.hostname = "postgres.invalid"), ["postgres.invalid"]],
  ])("on Postgres: %s", async (_name, change, named, step = "Check DATABASE_URL") => {
    const url = new URL(await freshDatabaseUrl("postgresql", ""));
    change(url);
    const message = await open(url.href).then(
      () => "opened",
      (error: unknown) => String(error),
    );
    expect(message).toMatch(/^DatabaseUnavailableError: The Postgres database /);
    for (const part of [...named, step]) expect(message).toContain(part);
    expect(message).not.toContain(`:${url.password}@`);
    expect(message).not.toContain("hunter2");
  });

  it("on SQLite: a file that is something else, a folder, a folder that is none", async () => {
    const folder = await temporaryFolder();
    const letter = join(folder, "letter.db");
    await writeFile(letter, "Dear reader, ".repeat(1000));
    for (const path of [letter, folder, join(letter, "parley.db")]) {
      await expect(open(`file:${path}`)).rejects.toMatchObject({
        name: "DatabaseUnavailableError",
        message: expect.stringContaining(`The database file ${path} can't be opened: `),
      });
    }
  });
});
