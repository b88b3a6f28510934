import { execFile } from "node:child_process";
import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it } from "@jest/globals";
import { temporaryFolder } from "../helpers/parley-process.js";

const run = promisify(execFile);
const root = fileURLToPath(new URL("../../", import.meta.url));

const use = `
  const Database = require("better-sqlite3");
  new Database(":memory:").exec("SELECT 1");
  const loaded = Object.keys(require.cache).flatMap((path) => /better-sqlite3-[\\w-]+/.exec(path)?.[0] ?? []);
  console.log([...new Set(loaded)].join());`;

describe("SQLite's driver", () => {
  it("is the one that this Node can load", async () => {
    const { stdout } = await run(process.execPath, ["-e", use], { cwd: root });
    const hasNodeApi10 = Number(process.versions["napi"]) >= 10;
    expect(stdout.trim()).toBe(hasNodeApi10 ? "better-sqlite3-node-api" : "better-sqlite3-v8");
  });

  it("says what to do where none could be installed", async () => {
    const folder = await temporaryFolder();
    await copyFile(join(root, "drivers/better-sqlite3/index.js"), join(folder, "index.cjs"));
    const starting = run(process.execPath, ["index.cjs"], { cwd: folder });
    await expect(starting).rejects.toThrow(/could not be installed for Node .* run npm ci again/);
  });
});
