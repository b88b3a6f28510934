/**
 * Feeds Parley damaged requests, multipart bodies, ranges, sound and WebSocket frames, and looks for crashes, hangs,
 * unexplained faults and leaks.
 *
 *   npm run fuzz -- [--seconds N | --inputs N] [--seed S] [--only TARGET] [--replay FILE]
 */
import { readFileSync } from "node:fs";
import { dirname } from "node:path";
import { Progress } from "../drill/progress.js";
import { runTool } from "../src/cli/run-tool.js";
import { UsageError } from "../src/cli/usage-error.js";
import { Failures, describeFailure, targetOfFile } from "./failures.js";
import { parseOptions, targetNames, toTargetName, usage } from "./options.js";
import type { FuzzOptions, TargetName } from "./options.js";
import { Run, startTarget } from "./run.js";
import { describeUse } from "./use.js";

/** As a shell tells that Ctrl-C ended a program. */
const brokenOffCode = 130;

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

async function fuzz(options: FuzzOptions, signal: AbortSignal): Promise<number> {
  say(`Seed ${options.seed}: --seed ${options.seed} makes the same inputs again.`);
  const failures = new Failures();
  for (const name of options.targets) {
    if (!signal.aborted) await fuzzTarget(name, options, failures, signal);
  }
  for (const failure of failures.all) say(describeFailure(failure));
  if (signal.aborted) return brokenOffCode;
  say(failures.all.length === 0 ? "Nothing was found." : `${failures.all.length} kinds of failures.`);
  return failures.all.length === 0 ? 0 : 1;
}

async function fuzzTarget(
  name: TargetName,
  { seconds, inputs, seed }: FuzzOptions,
  failures: Failures,
  signal: AbortSignal,
): Promise<void> {
  const run = new Run({ name, seconds, inputs, seed, failures, signal });
  const onExit = () => run.killNow();
  process.once("exit", onExit);
  const progress = new Progress(
    () => `${name}: ${run.fed} inputs, ${failures.all.length} kinds of failures, ${run.seconds.toFixed(0)} s`,
  );
  try {
    await run.run();
  } finally {
    progress.end();
    process.off("exit", onExit);
  }
  if (run.before === null || run.after === null) return;
  say(
    `  ${name}: after ${run.before.fed} inputs ${describeUse(run.before)}; after ${run.after.fed} ${describeUse(run.after)}`,
  );
}

async function replay(path: string): Promise<number> {
  const name = toTargetName(targetOfFile(path, dirname(path)));
  if (name === undefined) {
    throw new UsageError(
      `--replay needs a file of fuzz/failures or fuzz/corpus/TARGET (${targetNames.join(", ")}).`,
    );
  }
  const target = await startTarget(name);
  try {
    const wrong = await target.feed(readFileSync(path));
    await target.rest().catch(() => undefined);
    const end = target.child.hasEnded() ? [`the process ended with ${await target.child.ended}`] : [];
    const faults = [...(wrong === null ? [] : [wrong]), ...target.child.takeFaults(), ...end];
    say(faults.length === 0 ? `${name} took it as it should.` : `FAILED: ${faults.join("\n")}`);
    return faults.length === 0 ? 0 : 1;
  } finally {
    await target.close();
  }
}

async function main(args: readonly string[]): Promise<number> {
  const options = parseOptions(args);
  if ("replay" in options) return replay(options.replay);
  const breakOff = new AbortController();
  process.once("SIGINT", () => breakOff.abort());
  process.once("SIGTERM", () => breakOff.abort());
  return fuzz(options, breakOff.signal);
}

await runTool(usage, main);
