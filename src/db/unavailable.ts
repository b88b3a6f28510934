import type { DatabaseConfig } from "../config/config.js";
import { codeOfError } from "../code-of-error.js";
import { MigrationError } from "./migrations.js";

/** The database can't be reached or opened. The message says which one, never its password, and what to look at. */
export class DatabaseUnavailableError extends Error {
  override readonly name = "DatabaseUnavailableError";
}

/** What to tell the operator of an error that came while the database was opened. */
export function explainOpening(config: DatabaseConfig, error: unknown): Error {
  if (error instanceof MigrationError) return error;
  if (codeOfError(error) === driverMissing)
    return new DatabaseUnavailableError(reasonOf(error), { cause: error });
  const told =
    config.kind === "sqlite" ? explainFile(config.path, error) : explainPostgres(config.url, error);
  return new DatabaseUnavailableError(told, { cause: error });
}

function explainFile(path: string, error: unknown): string {
  return `The database file ${path} can't be opened: ${reasonOf(error)}. Check DATABASE_URL and DATA_DIR, and that this user may write there.`;
}

function explainPostgres(url: string, error: unknown): string {
  const { host, pathname } = new URL(url);
  const told = `The Postgres database ${host}${pathname} can't be opened: ${reasonOf(error)}.`;
  return codeOfError(error) === databaseAbsent
    ? `${told} Create it: createdb ${decodeURIComponent(pathname.slice(1))}`.trimEnd()
    : `${told} Check DATABASE_URL, and that the server runs and lets this user in.`;
}

/** Postgres' own code for a database that is not there: invalid_catalog_name. */
const databaseAbsent = "3D000";
/** Of `drivers/better-sqlite3`, whose message says what to do. */
const driverMissing = "SQLITE_DRIVER_MISSING";

/** Where a host has several addresses, the error of all of them together has a code and no message. */
function reasonOf(error: unknown): string {
  if (typeof error !== "object" || error === null) return String(error);
  if ("message" in error && typeof error.message === "string" && error.message !== "") return error.message;
  return codeOfError(error) ?? "for no reason that was told";
}
