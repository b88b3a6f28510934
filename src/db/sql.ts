import { Sql, empty, join, raw, sqltag } from "@prisma/client/runtime/client";
import type { DatabaseConfig } from "../config/config.js";

/** What the two databases write differently, for statements that Prisma's own methods can't say. */
export interface Dialect {
  /** An instant, where no column tells its type. */
  instant(date: Date): Sql;
  /** The day of an instant in a column, in UTC, as 2026-11-26. */
  dayOf(column: Sql): Sql;
  /** Sent at the start of a transaction: nobody else writes the table until its end. */
  lockTable(table: Sql): Sql | null;
  /** Makes other transactions that ask for the same owner's lock wait until this one ends; null where all wait anyway. */
  ownerLock(ownerId: string): Sql | null;
  /** At the end of a statement that reads a row to write another: the row can't change before the write is done. */
  readonly forShare: Sql;
}

export function dialectOf(kind: DatabaseConfig["kind"]): Dialect {
  return kind === "postgresql"
    ? {
        instant: (date) => sqltag`CAST(${date} AS TIMESTAMP(3))`,
        dayOf: (column) => sqltag`to_char(${column}, 'YYYY-MM-DD')`,
        lockTable: (table) => sqltag`LOCK TABLE ${table} IN EXCLUSIVE MODE`,
        ownerLock: (ownerId) => sqltag`SELECT pg_advisory_xact_lock(hashtextextended(${ownerId}, 0))`,
        forShare: raw("FOR SHARE"),
      }
    : {
        instant: (date) => sqltag`${date}`,
        dayOf: (column) => sqltag`substr(${column}, 1, 10)`,
        // A transaction has the whole database for itself.
        lockTable: () => null,
        ownerLock: () => null,
        forShare: empty,
      };
}

/** `(a, b, c)` of parameters; not for an empty list. */
export function listOf(values: readonly string[]): Sql {
  return sqltag`(${join([...values])})`;
}

/** `(a, b), (c, d)` of parameters; not for an empty list. */
export function valuesOf(rows: readonly (readonly (string | bigint)[])[]): Sql {
  return join(rows.map((row) => sqltag`(${join([...row])})`));
}

export { Sql, sqltag } from "@prisma/client/runtime/client";
