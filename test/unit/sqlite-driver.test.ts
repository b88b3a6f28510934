import { execFile } from "node:child_process";
import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it } from "@jest/globals";
import { explainOpening } from "../../src/db/unavailable.js";
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

  it("that could not be installed is missed when a database is opened, which says what to do", async () => {
    const folder = await temporaryFolder();
    await copyFile(join(root, "drivers/better-sqlite3/index.js"), join(folder, "index.cjs"));
    const load = (then: string) =>
      run(process.execPath, ["-e", `const Database = require("./index.cjs");${then}`], { cwd: folder });
    await expect(load("")).resolves.toMatchObject({ stderr: "" });
    const opening = load('new Database(":memory:")');
    await expect(opening).rejects.toThrow(/is not installed for Node .* without --omit=optional/);
    await expect(opening).rejects.toThrow("SQLITE_DRIVER_MISSING");
  });

  it("that is missing is told as what keeps the database from being opened, and nothing else", () => {
    const missing = Object.assign(new Error("It is not installed."), { code: "SQLITE_DRIVER_MISSING" });
    const told = explainOpening({ kind: "sqlite", path: "/data/parley.db" }, missing);
    expect(told).toMatchObject({ name: "DatabaseUnavailableError", message: "It is not installed." });
  });
});
