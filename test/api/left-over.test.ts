import { mkdir, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, it } from "@jest/globals";
import { onEachDatabase } from "../helpers/databases.js";
import { askByText, startedConversation } from "../helpers/operations.js";
import { TestParley } from "../helpers/parley.js";
import { keptSoundFiles } from "../helpers/sound.js";

const dayMs = 24 * 60 * 60 * 1000;

async function age(path: string, days: number): Promise<void> {
  const then = new Date(Date.now() - days * dayMs);
  await utimes(path, then, then);
}

/** A file of sound that no row refers to. */
async function orphan(parley: TestParley, name: string, days: number): Promise<string> {
  const folder = join(parley.dataDir, "audio", "conv_01ARZ3NDEKTSV4RRFFQ69G5FAV");
  await mkdir(folder, { recursive: true });
  const path = join(folder, name);
  await writeFile(path, "sound");
  await age(path, days);
  return path;
}

/** Resolves once the server has told something of its sweep. */
async function logged(parley: TestParley, words: string): Promise<void> {
  while (!parley.log.some((line) => line.includes(words))) await delay(10);
}

onEachDatabase("sound that no row refers to", (kind) => {
  it("is removed when a server starts, once it is a week old; what a row refers to stays", async () => {
    const parley = await TestParley.start(kind);
    await askByText(parley, await startedConversation(parley), "Say 'one'.");
    const [kept = ""] = await keptSoundFiles(parley);
    await age(kept, 100);
    const young = await orphan(parley, "clip_2.wav", 6);
    await orphan(parley, "clip_1.wav", 8);
    await parley.restart();
    await logged(parley, "removed sound without a row");
    expect((await keptSoundFiles(parley)).sort()).toEqual([kept, young].sort());
  });
});

describe("a folder of audio that another database was used with", () => {
  it("is left as it is", async () => {
    const parley = await TestParley.start("sqlite");
    await askByText(parley, await startedConversation(parley), "Say 'one'.");
    const [kept = ""] = await keptSoundFiles(parley);
    await age(kept, 100);
    await parley.restart({ DATABASE_URL: `file:${join(parley.folder, "other.db")}` });
    await logged(parley, "belongs to another database");
    expect(await keptSoundFiles(parley)).toEqual([kept]);
  });
});
