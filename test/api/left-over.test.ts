import { access, mkdir, readdir, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, it } from "@jest/globals";
import { onEachDatabase } from "../helpers/databases.js";
import { askByText, startedConversation } from "../helpers/operations.js";
import { TestParley } from "../helpers/parley.js";
import { keptSoundFiles } from "../helpers/sound.js";

async function untouchedFor(path: string, minutes: number): Promise<void> {
  const then = new Date(Date.now() - minutes * 60_000);
  await utimes(path, then, then);
}

function age(path: string, days: number): Promise<void> {
  return untouchedFor(path, days * 24 * 60);
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

/** Resolves once it is there: it is made while the model is being asked. */
async function onlyDraft(parley: TestParley): Promise<string> {
  const drafts = join(parley.dataDir, "audio", "drafts");
  for (;;) {
    const name = (await readdir(drafts).catch(() => [])).find((file) => file.endsWith(".part"));
    if (name !== undefined) return join(drafts, name);
    await delay(10);
  }
}

async function leftDraft(parley: TestParley, name: string): Promise<string> {
  const path = join(parley.dataDir, "audio", "drafts", name);
  await writeFile(path, "sound");
  await untouchedFor(path, 31);
  return path;
}

function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

onEachDatabase("unfinished sound that nobody has touched for half an hour", (kind) => {
  it("stays while its turn is active, and is removed where there is no such turn", async () => {
    const parley = await TestParley.start(kind);
    const pause = parley.standIn.pauseNext("before-answer");
    const conversationId = await startedConversation(parley);
    const asked = askByText(parley, conversationId, "Say 'one'.", {
      waitMs: 60_000,
      reply: { format: "MP3" },
    });
    await pause.reached;
    await untouchedFor(await onlyDraft(parley), 31);
    const left = [
      await leftDraft(parley, "9d0c1f1e-1b7c-4f0f-9a3c-0d9a3f0c5a11.part"),
      await leftDraft(parley, "conv_01ARZ3NDEKTSV4RRFFQ69G5FAV~clip_1.mp3.part"),
    ];
    parley.server.context.housekeeping.start();
    while ((await Promise.all(left.map(isThere))).includes(true)) await delay(10);
    pause.release();
    const assistantMessage = { audio: { format: "MP3" } };
    expect(await asked).toMatchObject({ status: "COMPLETED", assistantMessage });
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
