import { readdir, utimes } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { text } from "./database.js";
import type { DrillDatabase } from "./database.js";
import { readFacts, soundFolder } from "./facts.js";
import type { Facts } from "./facts.js";

/** A server removes what is left over once it is a week old; see docs/reliability.md. */
const agedMs = 8 * 24 * 60 * 60 * 1000;
const patienceMs = 20_000;

/** Makes all sound old enough for the sweep. To be called while no server runs. */
export async function ageSound(dataDir: string): Promise<void> {
  const folder = soundFolder(dataDir);
  const then = new Date(Date.now() - agedMs);
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  for (const entry of entries)
    if (entry.isFile()) await utimes(join(entry.parentPath, entry.name), then, then);
}

/** The files that no row refers to, drafts included. */
export function leftOver({ clips, files, drafts }: Facts): string[] {
  const keys = new Set(clips.map((clip) => text(clip, "storageKey")));
  return [...[...files].filter((key) => !keys.has(key)), ...drafts];
}

/** Resolves when the servers have swept, or when that takes too long: then the checks tell what is left. */
export async function untilSwept(
  database: DrillDatabase,
  dataDir: string,
  signal: AbortSignal,
): Promise<void> {
  const deadline = Date.now() + patienceMs;
  while (Date.now() < deadline && leftOver(await readFacts(database, dataDir)).length > 0) {
    signal.throwIfAborted();
    await delay(200);
  }
}
