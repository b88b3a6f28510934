import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "@jest/globals";
import { temporaryFolder } from "../helpers/parley-process.js";

interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Runs the drill in its own process; what it leaves behind would lie in a folder that is gone after the test. */
async function drill(...args: string[]): Promise<Ended> {
  const program = fileURLToPath(new URL("../../drill/main.ts", import.meta.url));
  const env = { PATH: process.env["PATH"], TMPDIR: await temporaryFolder() };
  return new Promise((resolve) => {
    const all = ["--import", import.meta.resolve("tsx"), program, ...args];
    const child = execFile(process.execPath, all, { env }, (_error, stdout, stderr) => {
      resolve({ code: child.exitCode, stdout, stderr });
    });
  });
}

describe("npm run drill", () => {
  it("kills a server at every kind of moment and finds that nothing is lost", async () => {
    const { code, stdout } = await drill("--kills", "7", "--seed", "1");
    expect([code, stdout]).toEqual([0, expect.stringContaining("Nothing was lost in 7 kills (seed 1).")]);
    expect(stdout).toMatch(/^Seed 1: /);
    expect(stdout).not.toContain("BROKEN");
  }, 180_000);

  it("refuses arguments that it does not know with a sentence", async () => {
    const { code, stderr } = await drill("--servers", "2");
    expect([code, stderr]).toEqual([2, expect.stringContaining("--servers must be 1 on sqlite")]);
  });
});
