import { expect, it } from "@jest/globals";
import { ChildProgram, temporaryFolder } from "../helpers/parley-process.js";
import { targetNames } from "../../fuzz/options.js";

const longMs = 300_000;

it.each(targetNames)(
  "npm run fuzz feeds the corpus and some damaged inputs, and finds nothing wrong (%s)",
  async (target) => {
    const folder = await temporaryFolder();
    const args = ["--inputs", "150", "--seed", "1", "--only", target];
    const fuzz = new ChildProgram("fuzz/main.ts", folder, { TMPDIR: folder }, args);
    const { code, stdout, stderr } = await fuzz.ended;
    expect({ code, output: code === 0 ? "" : stdout + stderr }).toEqual({ code: 0, output: "" });
    expect(stdout).toContain("Nothing was found.");
  },
  longMs,
);

it("npm run fuzz explains arguments that make no sense", async () => {
  const folder = await temporaryFolder();
  const fuzz = new ChildProgram("fuzz/main.ts", folder, {}, ["--only", "everything"]);
  const { code, stderr } = await fuzz.ended;
  expect([code, stderr]).toEqual([2, expect.stringContaining("--only must be one of http, multipart")]);
});
