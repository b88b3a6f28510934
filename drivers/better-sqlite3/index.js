"use strict";

/**
 * No release of better-sqlite3 runs on every Node that Parley supports, and a wrong one does not throw, it ends the process:
 * see docs/decisions/0006-sqlite-driver.md. 13 is used wherever it can be: it needs Node-API 10 (Node 22.14).
 */
const names =
  Number(process.versions.napi) >= 10
    ? ["better-sqlite3-node-api", "better-sqlite3-v8"]
    : ["better-sqlite3-v8"];

/** Both are optional packages: one that can't be installed is not there, and only the last one is missed. */
function isInstalled(name) {
  try {
    require.resolve(name);
    return true;
  } catch {
    return false;
  }
}

/** Tells it when a database is opened, not before: a server on Postgres opens none. */
class NoDriver {
  constructor() {
    const error = new Error(
      `SQLite's driver is not installed for Node ${process.versions.node}: npm was told to leave out optional packages, or the driver's ready-made file could not be fetched, nor could it be compiled. Run npm ci again without --omit=optional; let npm reach github.com, or install Python, make and a C++ compiler.`,
    );
    throw Object.assign(error, { code: "SQLITE_DRIVER_MISSING" });
  }
}

const name = names.find(isInstalled);
module.exports = name === undefined ? NoDriver : require(name);
