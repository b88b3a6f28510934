import { mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import { lockForOneServer } from "../../src/db/sqlite-lock.js";
import { temporaryFolder } from "../helpers/parley-process.js";

const inUse = { name: "DatabaseUnavailableError", message: expect.stringContaining("Another Parley server") };

describe("a SQLite database of one server", () => {
  it.each(["before it is made", "when it is there"])("can't be taken by a link to it: %s", async (when) => {
    const folder = await temporaryFolder();
    const [path, linked] = [join(folder, "data", "parley.db"), join(folder, "other", "linked.db")];
    for (const name of ["data", "other"]) await mkdir(join(folder, name));
    if (when === "when it is there") await writeFile(path, "");
    await symlink(join("..", "data", "parley.db"), linked);
    for (const [first, second] of [
      [path, linked],
      [linked, path],
    ] as const) {
      const release = await lockForOneServer({ kind: "sqlite", path: first });
      await expect(lockForOneServer({ kind: "sqlite", path: second })).rejects.toMatchObject(inUse);
      await release();
    }
  });
});
