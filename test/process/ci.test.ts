import { execFile } from "node:child_process";
import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "@jest/globals";
import { temporaryFolder } from "../helpers/parley-process.js";

const ci = fileURLToPath(new URL("../../.ci/run", import.meta.url));

interface Runs {
  install?: string;
  tests?: string;
  browserTests?: string;
}

/** Runs .ci/run with an `npm` that only does what the shell commands say. */
async function runCi({ install = "true", tests = "true", browserTests = "true" }: Runs) {
  const folder = await temporaryFolder();
  const npm = join(folder, "npm");
  await writeFile(
    npm,
    `#!/bin/sh\ncase "$*" in ci*) ${install};; test) ${tests};; "run test:browser") ${browserTests};; esac\n`,
  );
  await chmod(npm, 0o755);
  const env = { ...process.env, PATH: `${folder}:${process.env["PATH"] ?? ""}`, CHROMIUM: process.execPath };
  return new Promise<{ code: unknown; lastLine: string | undefined }>((resolve) => {
    execFile(ci, { env }, (error, stdout) =>
      resolve({ code: error?.code ?? 0, lastLine: stdout.trimEnd().split("\n").at(-1) }),
    );
  });
}

describe("What CI runs", () => {
  it.each<[string, Runs, string, number]>([
    [
      "sums both runs",
      { tests: "echo 3 passed, 0 failed, 2 skipped", browserTests: "echo 4 passed, 0 failed" },
      "7 passed, 0 failed, 2 skipped",
      0,
    ],
    [
      "runs the browser's tests where others have failed, and fails",
      { tests: "echo 3 passed, 1 failed; exit 1", browserTests: "echo 4 passed, 0 failed" },
      "7 passed, 1 failed",
      1,
    ],
    [
      "counts a run that breaks before it counts",
      { tests: "exit 2", browserTests: "echo 4 passed, 0 failed; exit 1" },
      "4 passed, 2 failed",
      1,
    ],
    [
      "runs nothing of what could not be installed",
      { install: "exit 1", tests: "echo 3 passed, 0 failed" },
      "0 passed, 1 failed",
      1,
    ],
  ])("%s", async (_, runs, lastLine, code) => {
    expect(await runCi(runs)).toEqual({ lastLine, code });
  });
});
