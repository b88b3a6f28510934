import { setTimeout as delay } from "node:timers/promises";
import type { Database } from "../db/database.js";
import { readMigrations } from "../db/migrations.js";
import type { Logger } from "../logger.js";
import type { AudioStore } from "../storage/audio-store.js";
import type { TurnRunner } from "./turns/runner.js";

export interface ReadinessParts {
  database: Database;
  store: Pick<AudioStore, "check">;
  runner: Pick<TurnRunner, "isClosing">;
  logger: Logger;
  /** How long a check may take. Default: 2 s. */
  timeLimitMs?: number;
}

export interface ReadinessReport {
  ready: boolean;
  checks: {
    database: CheckResult;
    /** Every migration that this program knows is applied. */
    migrations: CheckResult;
    /** Audio can be stored. */
    store: CheckResult;
    /** New turns are taken: false once the server shuts down. */
    accepting: boolean;
  };
}

export type CheckResult = "ok" | "failed";

/** Whether this server can do its work now. The model is not asked: that would be paid, and its failures are data. */
export class Readiness {
  readonly #runner: ReadinessParts["runner"];
  readonly #database: Check;
  readonly #migrations: Check;
  readonly #store: Check;

  constructor({ database, store, runner, logger, timeLimitMs = 2_000 }: ReadinessParts) {
    this.#runner = runner;
    const check = (name: string, work: () => Promise<unknown>) =>
      new Check(work, timeLimitMs, (error) =>
        logger.warn({ err: error, check: name }, "the server is not ready"),
      );
    this.#database = check("database", () => database.client.$queryRaw`SELECT 1`);
    this.#migrations = check("migrations", () => requireMigrations(database));
    this.#store = check("store", () => store.check());
  }

  async report(): Promise<ReadinessReport> {
    const [database, migrations, store] = await Promise.all([
      this.#database.result(),
      this.#migrations.result(),
      this.#store.result(),
    ]);
    const accepting = !this.#runner.isClosing;
    const ready = accepting && [database, migrations, store].every((result) => result === "ok");
    return { ready, checks: { database, migrations, store, accepting } };
  }
}

/** Something that is tried at most once at a time, however often and however late it is asked for. */
class Check {
  readonly #work: () => Promise<unknown>;
  readonly #timeLimitMs: number;
  readonly #onFailed: (error: unknown) => void;
  #running: Promise<unknown> | null = null;

  constructor(work: () => Promise<unknown>, timeLimitMs: number, onFailed: (error: unknown) => void) {
    this.#work = work;
    this.#timeLimitMs = timeLimitMs;
    this.#onFailed = onFailed;
  }

  async result(): Promise<CheckResult> {
    this.#running ??= this.#work().finally(() => (this.#running = null));
    try {
      await inTime(this.#running, this.#timeLimitMs);
      return "ok";
    } catch (error) {
      this.#onFailed(error);
      return "failed";
    }
  }
}

async function inTime(work: Promise<unknown>, timeLimitMs: number): Promise<void> {
  const done = new AbortController();
  const timer = delay(timeLimitMs, "late", { signal: done.signal });
  // Rejects when the timer is no longer needed.
  timer.catch(() => undefined);
  try {
    if ((await Promise.race([work, timer])) === "late") throw new Error(`no answer within ${timeLimitMs} ms`);
  } finally {
    done.abort();
  }
}

async function requireMigrations({ kind, client }: Database): Promise<void> {
  const rows = await client.$queryRaw<{ migration_name: string }[]>`
    SELECT "migration_name" FROM "_prisma_migrations" WHERE "finished_at" IS NOT NULL AND "rolled_back_at" IS NULL`;
  const applied = new Set(rows.map((row) => row.migration_name));
  const missing = (await readMigrations(kind)).filter(({ name }) => !applied.has(name));
  if (missing.length > 0) throw new Error(`not applied: ${missing.map(({ name }) => name).join(", ")}`);
}
