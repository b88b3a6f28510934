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

const name = names.find(isInstalled);
if (name === undefined)
  throw new Error(
    `SQLite's driver could not be installed for Node ${process.versions.node}: its ready-made file could not be fetched, and it could not be compiled. Install Python, make and a C++ compiler, or let npm reach github.com, then run npm ci again.`,
  );
module.exports = require(name);
