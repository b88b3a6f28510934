import { spawn } from "node:child_process";
import { once } from "node:events";
import { symlinkSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "../helpers/parley-process.js";
import { blocksOf, root } from "../docs/pages.js";

export interface ExampleRun {
  /** Where it has written its files. */
  folder: string;
  code: number | null;
  stdout: string;
  stderr: string;
}

const commands = blocksOf("examples/README.md")
  .filter(({ language }) => language === "sh")
  .map(({ text }) => text.trim());

/** Runs the command by which examples/README.md starts the example of the folder, in a folder of its own. */
export async function runExample(
  name: string,
  server: string,
  env: NodeJS.ProcessEnv = {},
): Promise<ExampleRun> {
  const command = commands.find((text) => text.includes(` examples/${name}/`));
  if (command === undefined) throw new Error(`examples/README.md does not say how to run ${name}`);
  const folder = await temporaryFolder();
  // As if it were the root of the repository.
  for (const path of ["examples", "node_modules"]) symlinkSync(join(root, path), join(folder, path));
  const child = spawn("sh", ["-c", command.replace("http://127.0.0.1:4000", server)], {
    cwd: folder,
    env: { ...process.env, ...env },
  });
  const run: ExampleRun = { folder, code: null, stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => (run.stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (run.stderr += text));
  await once(child, "close");
  run.code = child.exitCode;
  return run;
}

/** Of the examples that there is a command for. */
export const exampleNames = commands.map((text) => / examples\/([\w-]+)\//.exec(text)?.[1] ?? text);
