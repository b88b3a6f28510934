/**
 * What subscriptions cost: the first audio of an answer, listeners that wait, many listeners of one turn, and turns of
 * long conversations. Each figure stands beside what it is compared with, measured alternating in the same run.
 *
 *   npm run bench:live -- [first-audio] [idle] [fan-out] [long] [--runs N] [--cpu-prof FOLDER]
 */
import { resolve } from "node:path";
import { parseArgs } from "node:util";
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

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { runs: { type: "string" }, "cpu-prof": { type: "string" } },
});
const profiles = values["cpu-prof"];
const options: PartOptions = {
  runs: values.runs === undefined ? null : Number(values.runs),
  profiles: profiles === undefined ? null : resolve(profiles),
};
const unknown = positionals.find((name) => !parts.has(name));
if (unknown !== undefined)
  throw new Error(`There is no part ${unknown}, only ${[...parts.keys()].join(", ")}.`);
if (options.runs !== null && !(options.runs >= 1)) throw new Error("--runs must be a number.");
for (const [name, measure] of parts)
  if (positionals.length === 0 || positionals.includes(name)) await measure(options);
