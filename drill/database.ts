import { randomBytes } from "node:crypto";
import { join } from "node:path";
import BetterSqlite3 from "better-sqlite3";
import pg from "pg";
import type { DatabaseChoice } from "./options.js";

export type Row = Readonly<Record<string, unknown>>;

/** A fresh, empty database for the drill's servers, and a way to look into it beside them. */
export interface DrillDatabase {
  /** The servers' DATABASE_URL. */
  url: string;
  /** For people: where it is, without a password. */
  place: string;
  /** All rows; none where the table does not exist. */
  rows(table: string): Promise<Row[]>;
  count(table: string, condition: string): Promise<number>;
  /**
   * Lets transactions that tell of an event, as the end of a turn does last, come no further than just before their commit.
   * Null on SQLite, where nobody sees from outside how far a transaction is.
   */
  holdEnds: (() => Promise<HeldEnds>) | null;
  /** What the database itself finds wrong with its files and references. */
  faults(): Promise<string[]>;
  /** Closes the connection, and drops the database where the drill made it on a server. */
  close(drop: boolean): Promise<void>;
}

export interface HeldEnds {
  /** Whether the server of this name is in such a transaction, and the end of a turn is among those that are. */
  waits(server: string): Promise<boolean>;
  letGo(): Promise<void>;
}

export async function makeDatabase(choice: DatabaseChoice, folder: string): Promise<DrillDatabase> {
  switch (choice.kind) {
    case "sqlite":
      return makeSqlite(join(folder, "parley.db"));
    case "postgresql":
      return makePostgres(choice.url, () => Promise.resolve());
    case "embedded": {
      // Loaded here only: it takes over the process's signals.
      const { startPostgres } = await import("../scripts/embedded-postgres.js");
      const server = await startPostgres();
      return makePostgres(server.url, () => server.stop());
    }
  }
}

function makeSqlite(path: string): DrillDatabase {
  let connection: BetterSqlite3.Database | null = null;
  // The servers make the file.
  const open = () => (connection ??= new BetterSqlite3(path, { readonly: true, timeout: 10_000 }));
  const all = (sql: string) => Promise.resolve().then(() => open().prepare(sql).all() as Row[]);
  return {
    url: `file:${path}`,
    place: path,
    rows: async (table) => {
      const found = await all(`SELECT name FROM sqlite_master WHERE type = 'table' AND name = '${table}'`);
      return found.length === 0 ? [] : all(`SELECT * FROM "${table}"`);
    },
    count: async (table, condition) =>
      countOf(await all(`SELECT count(*) AS count FROM "${table}" WHERE ${condition}`)),
    holdEnds: null,
    faults: async () => {
      const files = (await all("PRAGMA integrity_check")).map((row) => String(row["integrity_check"]));
      const references = await all("PRAGMA foreign_key_check");
      return [...files.filter((line) => line !== "ok"), ...references.map((row) => JSON.stringify(row))];
    },
    close: () => Promise.resolve(connection?.close()).then(() => undefined),
  };
}

async function makePostgres(serverUrl: string, stopServer: () => Promise<void>): Promise<DrillDatabase> {
  const name = `parley_drill_${randomBytes(5).toString("hex")}`;
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  await administrate(serverUrl, `CREATE DATABASE ${name}`).catch((error: unknown) => {
    throw new Error(`No database can be made at ${url.host}: ${reasonOf(error)}`, { cause: error });
  });
  const pool = new pg.Pool({ connectionString: url.href, max: 4, types: utcTypes });
  // A connection that breaks while nobody uses it shows at its next use.
  pool.on("error", () => undefined);
  const all = async (sql: string) => (await pool.query<Row>(sql)).rows;
  return {
    url: url.href,
    place: `the database ${name} at ${url.host}`,
    rows: async (table) => {
      const [found] = await all(`SELECT to_regclass('"${table}"') AS name`);
      return found?.["name"] == null ? [] : all(`SELECT * FROM "${table}"`);
    },
    count: async (table, condition) =>
      countOf(await all(`SELECT count(*) AS count FROM "${table}" WHERE ${condition}`)),
    holdEnds: () => holdEnds(pool),
    faults: () => Promise.resolve([]),
    close: async (drop) => {
      await pool.end();
      if (drop) await administrate(serverUrl, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
      await stopServer();
    },
  };
}

async function holdEnds(pool: pg.Pool): Promise<HeldEnds> {
  const holder = await pool.connect();
  const send = (sql: string) =>
    holder.query(sql).catch((error: unknown) => {
      holder.release(true);
      throw error;
    });
  await send("BEGIN");
  // The row of the events' owner is the last that a transaction takes.
  await send('SELECT 1 FROM "EventCounter" FOR UPDATE');
  const waiting = `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
    AND "query" LIKE '%EventCounter%' AND application_name = $1`;
  const isLocked = async () => {
    const running = `FROM "Turn" WHERE "status" = 'RUNNING'`;
    const [all] = (await pool.query<Row>(`SELECT count(*) AS count ${running}`)).rows;
    const free = (await pool.query(`SELECT 1 ${running} FOR UPDATE SKIP LOCKED`)).rows.length;
    return Number(all?.["count"]) > free;
  };
  return {
    // Who begins a turn waits at the same place, and has no turn that runs.
    waits: async (server) => (await pool.query(waiting, [server])).rows.length > 0 && (await isLocked()),
    letGo: async () => {
      await send("ROLLBACK");
      holder.release();
    },
  };
}

async function administrate(url: string, statement: string): Promise<void> {
  const administrator = new pg.Client({ connectionString: url });
  await administrator.connect();
  try {
    await administrator.query(statement);
  } finally {
    await administrator.end();
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error && error.message !== "" ? error.message : String(error);
}

function countOf(rows: Row[]): number {
  return Number(rows[0]?.["count"] ?? 0);
}

/** Prisma keeps instants in columns without a time zone, in UTC; pg would take them for local time. */
const utcTypes: pg.CustomTypesConfig = {
  getTypeParser: (oid, format) =>
    oid === pg.types.builtins.TIMESTAMP
      ? (text: string) => `${text.replace(" ", "T")}Z`
      : (pg.types.getTypeParser(oid, format) as (value: string) => unknown),
};

/** A column with text, or null. */
export function text(row: Row, column: string): string | null {
  const value = row[column];
  return typeof value === "string" ? value : null;
}

/** A column with an instant, in milliseconds since 1970. */
export function instant(row: Row, column: string): number {
  const value = row[column];
  return typeof value === "number" ? value : Date.parse(String(value));
}
