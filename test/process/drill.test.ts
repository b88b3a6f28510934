import { describe, expect, it } from "@jest/globals";
import { ChildProgram, temporaryFolder } from "../helpers/parley-process.js";

const longMs = 300_000;

/** Each class of moments once. */
const kills = "8";

describe("npm run drill", () => {
  it.each([
    ["sqlite", "sqlite"],
    ["postgresql, with two servers", process.env["PARLEY_TEST_POSTGRES_URL"] ?? ""],
  ])(
    "kills servers at bad moments, and finds everything as it was promised (%s)",
    async (_name, database) => {
      const folder = await temporaryFolder();
      const args = ["--kills", kills, "--seed", "1", "--database", database];
      const drill = new ChildProgram("drill/main.ts", folder, { TMPDIR: folder }, args);
      const { code, stdout, stderr } = await drill.ended;
      expect({ code, output: code === 0 ? "" : stdout + stderr }).toEqual({ code: 0, output: "" });
      expect(stdout).toContain(`Nothing was lost in ${kills} kills (seed 1)`);
      expect(stdout).toContain("no file of sound is left that no row refers to");
    },
    longMs,
  );
});
