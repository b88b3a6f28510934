import { Sql, empty, join, raw, sqltag } from "@prisma/client/runtime/client";
import type { DatabaseConfig } from "../config/config.js";

/** What the two databases write differently, for statements that Prisma's own methods can't say. */
export interface Dialect {
  /** An instant, where no column tells its type. */
  instant(date: Date): Sql;
  /** Makes other transactions that ask for the same owner's lock wait until this one ends; null where all wait anyway. */
  ownerLock(ownerId: string): Sql | null;
  /** At the end of a statement that reads a row to write another: the row can't change before the write is done. */
  readonly forShare: Sql;
}

export function dialectOf(kind: DatabaseConfig["kind"]): Dialect {
  return kind === "postgresql"
    ? {
        instant: (date) => sqltag`CAST(${date} AS TIMESTAMP(3))`,
        forShare: raw("FOR SHARE"),
        ownerLock: (ownerId) => sqltag`SELECT pg_advisory_xact_lock(hashtextextended(${ownerId}, 0))`,
      }
    : { instant: (date) => sqltag`${date}`, forShare: empty, ownerLock: () => null };
}

/** `(a, b, c)` of parameters; not for an empty list. */
export function listOf(values: readonly string[]): Sql {
  return sqltag`(${join([...values])})`;
}

export { Sql, sqltag } from "@prisma/client/runtime/client";
