/**
 * A program for tests: opens the database of the settings when it is sent SIGUSR2 and prints the names of the
 * migrations that it applied.
 */
import { once } from "node:events";
import { readSettings } from "../../src/config/env.js";
import { parseConfig } from "../../src/config/parse-config.js";
import { openDatabase } from "../../src/db/database.js";

const start = once(process, "SIGUSR2");
// A listener for a signal does not keep a process alive.
const alive = setInterval(() => undefined, 60_000);
process.stdout.write("waiting\n");
await start;
clearInterval(alive);
const database = await openDatabase(parseConfig(readSettings().env).database);
process.stdout.write(`applied ${JSON.stringify(database.applied)}\n`);
await database.close();
