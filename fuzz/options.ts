import { randomInt } from "node:crypto";
import { parseArgs } from "node:util";
import { readNumber } from "../src/cli/read-number.js";
import { UsageError } from "../src/cli/usage-error.js";

export const targetNames = ["http", "multipart", "range", "audio", "websocket"] as const;
export type TargetName = (typeof targetNames)[number];

export interface FuzzOptions {
  targets: readonly TargetName[];
  /** How long each target is fed; its corpus is always fed whole. */
  seconds: number;
  /** How many inputs each target gets at most; null: as many as the time allows. */
  inputs: number | null;
  /** 0 to 4,294,967,295: the same seed makes the same inputs again. */
  seed: number;
}

/** One input that failed, to be fed again. */
export interface ReplayOptions {
  replay: string;
}

export const usage = `Feeds Parley damaged requests, files, ranges and frames, and looks for crashes, hangs, faults and leaks.

  npm run fuzz -- [options]

  --seconds N      how long in all; default 60
  --inputs N       how many inputs each target gets, however long it takes, instead of --seconds
  --seed S         makes the inputs of an earlier run again; default: random, printed first
  --only TARGET    ${targetNames.join(", ")}; may be given several times; default: all
  --replay FILE    feeds one file of fuzz/failures or fuzz/corpus again
  --help           this text

It exits with 0 where every rule held, 1 where one was broken, 2 for wrong arguments. What fails is written to fuzz/failures.
`;

const settings = {
  seconds: { type: "string" },
  inputs: { type: "string" },
  seed: { type: "string" },
  only: { type: "string", multiple: true },
  replay: { type: "string" },
} as const;

/** @throws UsageError, and what parseArgs throws */
export function parseOptions(args: readonly string[]): FuzzOptions | ReplayOptions {
  const { values } = parseArgs({ args: [...args], options: settings, allowPositionals: false });
  if (values.replay !== undefined) return { replay: values.replay };
  const targets = readTargets(values.only ?? []);
  const seconds = readNumber("--seconds", values.seconds, { fallback: 60, min: 1, max: 1_000_000 });
  const inputs = readNumber("--inputs", values.inputs, { fallback: 0, min: 0, max: 1_000_000_000 });
  return {
    targets,
    seconds: values.inputs === undefined ? seconds / targets.length : Infinity,
    inputs: values.inputs === undefined ? null : inputs,
    seed: readNumber("--seed", values.seed, { fallback: randomInt(2 ** 32), min: 0, max: 2 ** 32 - 1 }),
  };
}

function readTargets(names: readonly string[]): readonly TargetName[] {
  const unknown = names.find((name) => toTargetName(name) === undefined);
  if (unknown !== undefined) {
    throw new UsageError(`--only must be one of ${targetNames.join(", ")}; it is "${unknown}".`);
  }
  return names.length === 0 ? targetNames : targetNames.filter((name) => names.includes(name));
}

export function toTargetName(text: string): TargetName | undefined {
  return targetNames.find((name) => name === text);
}
