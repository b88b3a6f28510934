/**
 * What subscriptions cost: the first audio of an answer, listeners that wait, many listeners of one turn, and turns of
 * long conversations. Each figure stands beside what it is compared with, measured alternating in the same run.
 */
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { readNumber } from "../src/cli/read-number.js";
import { runTool } from "../src/cli/run-tool.js";
import { UsageError } from "../src/cli/usage-error.js";
import { fanOut } from "./live/fan-out.js";
import { firstAudio } from "./live/first-audio.js";
import { idle } from "./live/idle.js";
import { longConversations } from "./live/long.js";
import type { PartOptions } from "./live/setting.js";

const parts = new Map<string, (options: PartOptions) => Promise<void>>([
  ["first-audio", firstAudio],
  ["idle", idle],
  ["fan-out", fanOut],
  ["long", longConversations],
]);

const usage = `Measures what subscriptions cost, each figure beside what it is compared with.

  npm run bench:live -- [${[...parts.keys()].join("] [")}] [options]

  --runs N             how often each thing is measured; default: as the part finds good
  --cpu-prof FOLDER    where the server leaves a profile of each of its runs
  --help               this text
`;

async function main(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { runs: { type: "string" }, "cpu-prof": { type: "string" } },
  });
  const unknown = positionals.find((name) => !parts.has(name));
  if (unknown !== undefined)
    throw new UsageError(`There is no part ${unknown}, only ${[...parts.keys()].join(", ")}.`);
  const runs = readNumber("--runs", values.runs, { fallback: 0, min: 1, max: 1_000_000 });
  const profiles = values["cpu-prof"];
  const options: PartOptions = {
    runs: runs === 0 ? null : runs,
    profiles: profiles === undefined ? null : resolve(profiles),
  };
  for (const [name, measure] of parts)
    if (positionals.length === 0 || positionals.includes(name)) await measure(options);
  return 0;
}

await runTool(usage, main);
