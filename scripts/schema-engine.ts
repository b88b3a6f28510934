/**
 * Prisma's schema engine as WebAssembly from npm: it compares a database with the models and writes the SQL between
 * them, without the engine binary that Prisma's command line downloads. Only scripts and tests use it.
 */
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { ColumnTypeEnum, bindMigrationAwareSqlAdapterFactory } from "@prisma/driver-adapter-utils";
import type { SqlDriverAdapter, SqlMigrationAwareDriverAdapterFactory } from "@prisma/driver-adapter-utils";
import { PrismaBetterSqlite3 } from "@prisma/adapter-better-sqlite3";
import { PrismaPg } from "@prisma/adapter-pg";
import * as engineModule from "@prisma/schema-engine-wasm/schema_engine_bg";
import pg from "pg";
import type { DatabaseConfig } from "../src/config/config.js";

/**
 * The SQL that turns the database as it is into what prisma/models.prisma describes; null where there is nothing to do.
 */
export async function diffWithModels(database: DatabaseConfig): Promise<string | null> {
  const pool =
    database.kind === "postgresql" ? new IntrospectionPool({ connectionString: database.url }) : null;
  const factory = new RecordingFactory(
    database.kind === "sqlite"
      ? new PrismaBetterSqlite3({ url: `file:${database.path}` })
      : new IntrospectionAdapterFactory(pool ?? new pg.Pool()),
  );
  try {
    return await diff(factory, schemaFiles(database.kind));
  } finally {
    await factory.disposeAll();
    await pool?.end();
  }
}

interface SchemaFile {
  path: string;
  content: string;
}

function schemaFiles(kind: DatabaseConfig["kind"]): SchemaFile[] {
  return [`prisma/${kind}/schema.prisma`, "prisma/models.prisma"].map((path) => ({
    path,
    content: readFileSync(path, "utf8"),
  }));
}

async function diff(factory: RecordingFactory, files: SchemaFile[]): Promise<string | null> {
  const engine = await createEngine(factory, files);
  try {
    const { exitCode, stdout } = await engine.diff({
      from: { tag: "schemaDatasource", files, configDir: "." },
      to: { tag: "schemaDatamodel", files },
      script: true,
      exitCode: true,
      filters: { externalTables: [], externalEnums: [] },
    });
    return exitCode === 2 ? stdout : null;
  } finally {
    engine.free();
  }
}

// The glue code keeps views of the one memory it was given, so a process can load the engine only once.
let loaded: Promise<void> | null = null;

async function createEngine(factory: SqlMigrationAwareDriverAdapterFactory, files: SchemaFile[]) {
  loaded ??= loadEngine();
  await loaded;
  return engineModule.SchemaEngine.new(
    { datamodels: files.map(({ path, content }) => [path, content]) },
    () => undefined,
    bindMigrationAwareSqlAdapterFactory(factory),
  );
}

async function loadEngine(): Promise<void> {
  const script = createRequire(import.meta.url).resolve("@prisma/schema-engine-wasm/schema_engine_bg");
  // The package has no types for the two functions that start it by hand.
  const glue = engineModule as unknown as typeof engineModule & { __wbg_set_wasm(wasm: unknown): void };
  const { instance } = await WebAssembly.instantiate(readFileSync(script.replace(/\.js$/, ".wasm")), {
    "./schema_engine_bg.js": { ...glue, ...unreferencedTimers() },
  });
  glue.__wbg_set_wasm(instance.exports);
  (instance.exports as { __wbindgen_start(): void }).__wbindgen_start();
  const set_message = (text: string) => process.stderr.write(`${text}\n`);
  Object.assign(globalThis, { PRISMA_WASM_PANIC_REGISTRY: { set_message } });
}

/** The engine never clears the timer of its advisory lock, which would keep the process alive for 10 s. */
function unreferencedTimers(): Record<string, unknown> {
  const names = Object.keys(engineModule).filter((name) => name.startsWith("__wbg_setTimeout_"));
  const start = (callback: () => void, delayMs: number) => setTimeout(callback, delayMs).unref();
  return Object.fromEntries(names.map((name) => [name, start]));
}

/** Closes what the engine leaves open: on SQLite its connection would keep the file locked. */
class RecordingFactory implements SqlMigrationAwareDriverAdapterFactory {
  readonly provider;
  readonly adapterName;
  readonly #inner: SqlMigrationAwareDriverAdapterFactory;
  readonly #adapters: SqlDriverAdapter[] = [];

  constructor(inner: SqlMigrationAwareDriverAdapterFactory) {
    this.#inner = inner;
    this.provider = inner.provider;
    this.adapterName = inner.adapterName;
  }

  async connect(): Promise<SqlDriverAdapter> {
    return this.#record(await this.#inner.connect());
  }

  async connectToShadowDb(): Promise<SqlDriverAdapter> {
    return this.#record(await this.#inner.connectToShadowDb());
  }

  async disposeAll(): Promise<void> {
    for (const adapter of this.#adapters) await adapter.dispose();
  }

  #record(adapter: SqlDriverAdapter): SqlDriverAdapter {
    this.#adapters.push(adapter);
    return adapter;
  }
}

// The Postgres adapter refuses the type "char" (18), which the engine reads from the catalogue. It passes through as a
// uuid (2950), a type that nothing else there has, and is named a character again on its way out.
const charType = 18;
const uuidType = 2950;

class IntrospectionPool extends pg.Pool {
  // The overloads of pg can't be restated; arguments and result pass through.
  override query = (async (...parameters: unknown[]) => {
    const inner = pg.Pool.prototype.query.bind(this) as (...all: unknown[]) => Promise<pg.QueryResult>;
    const result = await inner(...parameters);
    for (const field of result.fields) if (field.dataTypeID === charType) field.dataTypeID = uuidType;
    return result;
  }) as unknown as pg.Pool["query"];
}

class IntrospectionAdapterFactory extends PrismaPg {
  override async connect() {
    return withCharacters(await super.connect());
  }
}

function withCharacters<Adapter extends SqlDriverAdapter>(adapter: Adapter): Adapter {
  const queryRaw = adapter.queryRaw.bind(adapter);
  adapter.queryRaw = async (query) => {
    const result = await queryRaw(query);
    const columnTypes = result.columnTypes.map((type) =>
      type === ColumnTypeEnum.Uuid ? ColumnTypeEnum.Character : type,
    );
    return { ...result, columnTypes };
  };
  return adapter;
}
