import { readlink, realpath } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import BetterSqlite3 from "better-sqlite3";
import type { DatabaseConfig } from "../config/config.js";
import { codeOfError } from "../code-of-error.js";
import { makeFolder } from "../make-folder.js";
import { isBusy } from "./migrations-sqlite.js";
import { DatabaseUnavailableError, explainOpening } from "./unavailable.js";

/** How long a server that is just ending may keep the next one waiting. */
const patienceMs = 1_000;

/**
 * SQLite is for one server: a second one would take the turns that the first one runs for abandoned ones. Holds the
 * lock of a file beside the database, which the system lets go when the process ends, however it ends. Answers how to
 * let it go before that; on Postgres, which many servers share, there is nothing to hold.
 * @throws DatabaseUnavailableError where another server has it, or the file can't be made
 */
export async function lockForOneServer(config: DatabaseConfig): Promise<() => Promise<void>> {
  if (config.kind !== "sqlite") return () => Promise.resolve();
  try {
    await makeFolder(dirname(config.path));
    const lock = takeLock(await realPathOf(config.path));
    return () => {
      lock.close();
      return Promise.resolve();
    };
  } catch (error) {
    if (isBusy(error)) throw inUse(config.path);
    throw explainOpening(config, error);
  }
}

/** The file itself, however many links lead to it, and where it has yet to be made. A second hard link can't be seen. */
async function realPathOf(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    if (codeOfError(error) !== "ENOENT") throw error;
  }
  const target = await readlink(path).catch(() => null);
  if (target !== null) return realPathOf(resolve(dirname(path), target));
  return join(await realpath(dirname(path)), basename(path));
}

// A database of its own that is never written: to lock the real one would shut out its own readers, too.
function takeLock(path: string): BetterSqlite3.Database {
  const lock = new BetterSqlite3(`${path}.lock`, { timeout: patienceMs });
  try {
    lock.exec("BEGIN EXCLUSIVE");
  } catch (error) {
    lock.close();
    throw error;
  }
  return lock;
}

function inUse(path: string): DatabaseUnavailableError {
  return new DatabaseUnavailableError(
    `Another Parley server uses the database file ${path}, and SQLite is for one server at a time. Stop that one, give this one a DATA_DIR of its own, or set DATABASE_URL to a Postgres database, which servers can share.`,
  );
}
