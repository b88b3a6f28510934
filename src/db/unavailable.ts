import type { DatabaseConfig } from "../config/config.js";
import { MigrationError } from "./migrations.js";

/** The database can't be reached or opened. The message says which one, never its password, and what to look at. */
export class DatabaseUnavailableError extends Error {
  override readonly name = "DatabaseUnavailableError";
}

/** What to tell the operator of an error that came while the database was opened. */
export function explainOpening(config: DatabaseConfig, error: unknown): Error {
  if (error instanceof MigrationError) return error;
  const reason = reasonOf(error);
  return new DatabaseUnavailableError(
    config.kind === "sqlite"
      ? `The database file ${config.path} can't be opened: ${reason}. Check DATABASE_URL and DATA_DIR, and that this user may write there.`
      : `The Postgres database ${addressOf(config.url)} can't be opened: ${reason}. Check DATABASE_URL, and that the server runs and lets this user in.`,
    { cause: error },
  );
}

function addressOf(url: string): string {
  const { host, pathname } = new URL(url);
  return host + pathname;
}

/** Where a host has several addresses, the error of all of them together has a code and no message. */
function reasonOf(error: unknown): string {
  if (typeof error !== "object" || error === null) return String(error);
  if ("message" in error && typeof error.message === "string" && error.message !== "") return error.message;
  return "code" in error ? String(error.code) : "for no reason that was told";
}
