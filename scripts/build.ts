/**
 * Makes `dist/`: what is generated, the compiled server with its schema files, the page and GraphiQL. Each step says so when it
 * has something to do, and does nothing where nothing has changed.
 */
import { spawn } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";

import { buildExplorer } from "./explorer.js";
import { buildPage } from "./page.js";
import { fingerprint, isCurrent, writeStamp } from "./stamp.js";

const compileInputs = ["package-lock.json", "tsconfig.json", "tsconfig.build.json", "src"];
const compileStampFile = "dist/stamp";

/** A step that failed and has already said why on standard error. */
class StepFailed extends Error {}

function announce(step: string): void {
  process.stdout.write(`${step}\n`);
}

function runNode(...args: string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { stdio: "inherit" });
    child.once("error", reject);
    child.once("exit", (code) => {
      if (code === 0) resolve();
      else reject(new StepFailed(`${args.join(" ")} failed`));
    });
  });
}

async function compile(): Promise<void> {
  const stamp = fingerprint(compileInputs);
  const isComplete = existsSync("dist/main.js") && existsSync("dist/schema");
  if (isComplete && isCurrent(compileStampFile, stamp)) return;
  announce("Compiling the server");
  // With its record of an earlier build, the compiler would not write files again that have been removed since.
  if (!isComplete) rmSync("dist/.tsbuildinfo", { force: true });
  // Types are checked by `npm test`; leaving them out here halves the wait of a first start.
  await runNode("node_modules/typescript/bin/tsc", "-p", "tsconfig.build.json", "--noCheck");
  copySchema();
  writeStamp(compileStampFile, stamp);
}

// The folder is emptied first: the server reads whatever .graphql file lies there.
function copySchema(): void {
  mkdirSync("dist/schema", { recursive: true });
  for (const name of graphqlFiles("dist/schema")) rmSync(join("dist/schema", name));
  for (const name of graphqlFiles("src/schema")) {
    cpSync(join("src/schema", name), join("dist/schema", name));
  }
}

function graphqlFiles(folder: string): string[] {
  return readdirSync(folder).filter((name) => name.endsWith(".graphql"));
}

// The page and the server are both made with what is generated.
async function makeServerAndPage(): Promise<void> {
  await runNode("--import", "tsx", "scripts/generate.ts");
  const page = buildPage("dist/page", () => announce("Bundling the page"));
  await Promise.all([compile(), page]);
}

const steps = [makeServerAndPage(), buildExplorer("dist/explorer", () => announce("Bundling GraphiQL"))];
for (const result of await Promise.allSettled(steps)) {
  if (result.status === "fulfilled") continue;
  const reason: unknown = result.reason;
  process.stderr.write(`${reason instanceof Error ? reason.message : String(reason)}\n`);
  process.exitCode = 1;
}
