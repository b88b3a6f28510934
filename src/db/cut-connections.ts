import type { PrismaPg } from "@prisma/adapter-pg";
import { codeOfError } from "../code-of-error.js";

type PgAdapter = Awaited<ReturnType<InstanceType<typeof PrismaPg>["connect"]>>;
/** What Prisma asks of an adapter. */
type Adapter = Pick<
  PgAdapter,
  | "provider"
  | "adapterName"
  | "queryRaw"
  | "executeRaw"
  | "executeScript"
  | "startTransaction"
  | "getConnectionInfo"
  | "dispose"
>;
type Factory = Pick<PgAdapter, "provider" | "adapterName"> & { connect: () => Promise<Adapter> };

/** How many connections to Postgres a server has at most, besides the one on which servers wake each other. */
export const poolSize = 10;

/**
 * Tries the next connection where the one that the pool gave is gone and nobody had noticed: Postgres was started again or
 * another one took over, or a proxy closed what was idle. The first request afterwards would fail, though
 * nothing is wrong any more. Only what may be done twice is sent again, a read outside of transactions and the BEGIN of one
 * above all: a write may have been done before its connection broke. Each connection that is found gone leaves the pool, so that
 * behind all of them stands a new one, whose failure is told.
 */
export function pastCutConnections(factory: Factory): Factory {
  const { provider, adapterName } = factory;
  return { provider, adapterName, connect: async () => pastCuts(await factory.connect()) };
}

function pastCuts(adapter: Adapter): Adapter {
  return {
    provider: adapter.provider,
    adapterName: adapter.adapterName,
    queryRaw: (query) =>
      isRepeatable(query.sql) ? onWholeConnection(() => adapter.queryRaw(query)) : adapter.queryRaw(query),
    executeRaw: (query) => adapter.executeRaw(query),
    executeScript: (script) => adapter.executeScript(script),
    startTransaction: (isolation) => onWholeConnection(() => adapter.startTransaction(isolation)),
    getConnectionInfo: () => adapter.getConnectionInfo(),
    dispose: () => adapter.dispose(),
  };
}

async function onWholeConnection<Answer>(action: () => Promise<Answer>): Promise<Answer> {
  for (let gone = 0; gone < poolSize; gone += 1) {
    const sentAt = performance.now();
    try {
      return await action();
    } catch (error) {
      if (!isCut(error) || performance.now() - sentAt > goneWithinMs) throw error;
    }
  }
  return action();
}

/** What has worked for longer was ended while it worked: by an operator, say, who does not want to see it again. */
const goneWithinMs = 10_000;

/**
 * Reads: no function that Parley calls in a SELECT changes anything. And the counters of the rate limits: to count a
 * request twice is less than to count alone, which a server does that can't count in the database.
 */
function isRepeatable(sql: string): boolean {
  return /^\s*(SELECT\b|INSERT INTO "RateWindow")/i.test(sql);
}

/** Postgres ended the session: it shuts down (admin_shutdown), one of its processes crashed, the session was idle for too long. */
const endedByPostgres = new Set(["57P01", "57P02", "57P05"]);
/** The errors of `pg` that have no code. */
const withoutCode =
  /^(Connection terminated unexpectedly|Client has encountered a connection error and is not queryable)$/;

function isCut(error: unknown): boolean {
  if (codeOfError(error) === "EPIPE") return true;
  if (!(error instanceof Error)) return false;
  return withoutCode.test(error.message) || isCutTold(error.cause);
}

/** What Prisma's adapter makes of an error that has a code. */
function isCutTold(cause: unknown): boolean {
  if (typeof cause !== "object" || cause === null) return false;
  if ("kind" in cause && cause.kind === "ConnectionClosed") return true;
  return (
    "originalCode" in cause &&
    typeof cause.originalCode === "string" &&
    endedByPostgres.has(cause.originalCode)
  );
}
