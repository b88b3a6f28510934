import { open as openFile } from "node:fs/promises";
import { dirname } from "node:path";
import type { DatabaseConfig } from "../config/config.js";
import { codeOfError } from "../code-of-error.js";
import { makeFolder } from "../make-folder.js";
import { pastCutConnections, poolSize } from "./cut-connections.js";
import type { Prisma, PrismaClient } from "./generated/sqlite/client.js";
import { migrate } from "./migrations.js";
import { inLine } from "./sqlite-line.js";
import { truncateLog } from "./truncate-log.js";
import { explainOpening } from "./unavailable.js";

/** The two generated clients have the same methods; SQLite's is the type that the code is written against. */
export type DatabaseClient = PrismaClient;
/** What a function needs that also runs inside a transaction. */
export type DatabaseTransaction = Prisma.TransactionClient;

export interface Database {
  readonly kind: DatabaseConfig["kind"];
  readonly client: DatabaseClient;
  /** The names of the migrations that were applied when it was opened, oldest first. */
  readonly applied: readonly string[];
  /**
   * Takes what was removed out of SQLite's write-ahead log, which else holds it until it is written over. Resolves to
   * whether nothing of it is left: false while another process reads. What Postgres keeps is its operator's to clean.
   */
  readonly eraseRemoved: () => Promise<boolean>;
  close(): Promise<void>;
}

export interface DatabaseOptions {
  /** Called with each SQL statement that is sent. */
  onStatement?: ((sql: string) => void) | undefined;
}

/**
 * Brings the database up to date and connects to it.
 * @throws DatabaseUnavailableError where it can't be reached or opened
 * @throws MigrationError where it was made by a newer Parley, or a migration failed
 */
export async function openDatabase(config: DatabaseConfig, options: DatabaseOptions = {}): Promise<Database> {
  const { onStatement } = options;
  // Prisma spends time on each statement that it tells of.
  const log = onStatement === undefined ? [] : [statementEvents];
  const { applied, client } = await open(config, log).catch((error: unknown) => {
    throw explainOpening(config, error);
  });
  if (onStatement !== undefined) client.$on("query", (event) => onStatement(event.query));
  const eraseRemoved =
    config.kind === "sqlite" ? () => truncateLog(config.path) : () => Promise.resolve(true);
  return { kind: config.kind, client, applied, eraseRemoved, close: () => client.$disconnect() };
}

async function open(config: DatabaseConfig, log: StatementLog) {
  if (config.kind === "sqlite") await makePrivateFile(config.path);
  const applied = await migrate(config);
  const client =
    config.kind === "sqlite" ? await connectSqlite(config.path, log) : await connectPostgres(config.url, log);
  return { applied, client };
}

/** SQLite gives the files beside it the same mode. */
async function makePrivateFile(path: string): Promise<void> {
  await makeFolder(dirname(path));
  const file = await openFile(path, "a", 0o600);
  await file.close();
}

const statementEvents = { emit: "event", level: "query" } as const;
type StatementLog = (typeof statementEvents)[];
// Long enough for a transaction that waits behind others on SQLite's one connection, also where the disk is slow.
const transactionOptions = { maxWait: 30_000, timeout: 30_000 };

async function connectSqlite(path: string, log: StatementLog) {
  const [{ PrismaClient }, { PrismaBetterSqlite3 }] = await Promise.all([
    import("./generated/sqlite/client.js"),
    import("@prisma/adapter-better-sqlite3"),
  ]);
  const adapter = inLine(new PrismaBetterSqlite3({ url: `file:${path}`, timeout: 10_000 }));
  const client = new PrismaClient({ adapter, log, transactionOptions });
  for (const pragma of pragmas) await client.$queryRawUnsafe(`PRAGMA ${pragma}`);
  return client;
}

const pragmas = [
  "journal_mode = WAL",
  // What has been answered survives a loss of power, not only of the process.
  "synchronous = FULL",
  "foreign_keys = ON",
  // What is deleted is written over in the file.
  "secure_delete = ON",
];

async function connectPostgres(url: string, log: StatementLog) {
  const [{ PrismaClient }, { PrismaPg }] = await Promise.all([
    import("./generated/postgresql/client.js"),
    import("@prisma/adapter-pg"),
  ]);
  const adapter = pastCutConnections(
    new PrismaPg({ connectionString: url, connectionTimeoutMillis: 10_000, max: poolSize }),
  );
  const client = new PrismaClient({ adapter, log, transactionOptions });
  await client.$connect();
  return client as unknown as Awaited<ReturnType<typeof connectSqlite>>;
}

/** Whether the database refused a row because a unique column already holds its value. */
export function isUniqueViolation(error: unknown): boolean {
  return codeOfError(error) === "P2002";
}

/** What tells this database from every other: the id under which its first migration was applied. */
export async function databaseId(client: DatabaseClient): Promise<string> {
  const rows = await client.$queryRaw<{ id: string }[]>`
    SELECT "id" FROM "_prisma_migrations" ORDER BY "started_at", "migration_name" LIMIT 1`;
  const [first] = rows;
  if (first === undefined) throw new Error("no migration was applied");
  return first.id;
}
