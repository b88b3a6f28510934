/**
 * Shows that Parley loses nothing when it is killed: clients talk to real servers, which are killed again and again at
 * chosen and random moments and started again; then everything that a client was ever told is looked for.
 *
 *   npm run drill -- [--kills N] [--seed S] [--database sqlite | postgres | postgresql://…] [--servers N] [--keep]
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { runTool } from "../src/cli/run-tool.js";
import { makeDatabase } from "./database.js";
import type { DrillDatabase } from "./database.js";
import { Drill } from "./drill.js";
import { parseOptions, usage } from "./options.js";
import type { DrillOptions } from "./options.js";
import { describeFindings } from "./report.js";

/** As a shell tells that Ctrl-C ended a program. */
const brokenOffCode = 130;
const cleanUpMs = 8_000;

/** What has to go when the drill ends, however it ends. */
class Remains {
  readonly folder = mkdtempSync(join(tmpdir(), "parley-drill-"));
  /** Whether there is something to see in the folder. */
  keepFolder = false;
  /** Whether there is something to see in the database. */
  keepDatabase = false;
  database: DrillDatabase | null = null;
  drill: Drill | null = null;
  #clearing: Promise<void> | null = null;

  /** For the very end of the process, which waits for nothing. */
  clearNow(): void {
    this.drill?.killNow();
    if (!this.keepFolder) rmSync(this.folder, { recursive: true, force: true });
  }

  clear(): Promise<void> {
    return (this.#clearing ??= this.#clear());
  }

  async #clear(): Promise<void> {
    this.drill?.killNow();
    // A server that can't be reached any more must not keep the drill from ending.
    const closing = async () => {
      await this.drill?.close();
      await this.database?.close(!this.keepDatabase);
    };
    await Promise.race([closing().catch(() => undefined), delay(cleanUpMs)]);
  }
}

async function run(options: DrillOptions, remains: Remains, signal: AbortSignal): Promise<number> {
  const { folder } = remains;
  remains.database = await makeDatabase(options.database, folder);
  const { database } = remains;
  remains.drill = await Drill.make({ options, database, folder, signal });
  const { drill } = remains;
  const fault = await drill.run().then(() => null, toError);
  if (signal.aborted) return brokenOffCode;
  const held = fault === null && drill.findings.violations.length === 0;
  remains.keepFolder = options.keep || !held;
  remains.keepDatabase = remains.keepFolder && options.database.kind === "postgresql";
  if (!held) drill.writeEvidence();
  process.stdout.write(`${describe(drill, options, fault, remains)}\n`);
  return held ? 0 : 1;
}

function describe(drill: Drill, options: DrillOptions, fault: Error | null, remains: Remains): string {
  const lines = [`Killed: ${drill.describeKills()}.`, describeFindings(drill.findings)];
  if (fault !== null) lines.push(`The drill could not go on: ${fault.stack ?? fault.message}`);
  const { violations } = drill.findings;
  lines.push(
    violations.length === 0 && fault === null
      ? `Nothing was lost in ${options.kills} kills (seed ${options.seed}).`
      : `${violations.length} violations in ${options.kills} kills, with --seed ${options.seed}.`,
  );
  if (remains.keepFolder) lines.push(`Data, logs and what is known are kept in ${remains.folder}.`);
  if (remains.keepDatabase) lines.push(`The rows are kept in ${remains.database?.place ?? ""}.`);
  return lines.join("\n");
}

function toError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

async function main(args: readonly string[]): Promise<number> {
  const options = parseOptions(args);
  process.stdout.write(`Seed ${options.seed}: --seed ${options.seed} plans the same drill again.\n`);
  const remains = new Remains();
  process.once("exit", () => remains.clearNow());
  const breakOff = new AbortController();
  const broken = onSignals(async () => {
    breakOff.abort(new Error("broken off"));
    remains.keepFolder = options.keep;
    await remains.clear();
  });
  const running = run(options, remains, breakOff.signal).catch((error: unknown) => {
    if (!breakOff.signal.aborted) process.stderr.write(`The drill failed: ${toError(error).message}\n`);
    return 1;
  });
  const code = await Promise.race([running, broken]);
  await remains.clear();
  return breakOff.signal.aborted ? brokenOffCode : code;
}

/** Resolves when a signal has come and has been dealt with; the second signal ends at once. */
function onSignals(stop: () => Promise<void>): Promise<number> {
  return new Promise((resolve) => {
    let stopping = false;
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
      process.on(signal, () => {
        if (stopping) process.exit(brokenOffCode);
        stopping = true;
        process.stdout.write("\nThe drill is broken off.\n");
        void stop().then(() => resolve(brokenOffCode));
      });
    }
  });
}

await runTool(usage, main);
