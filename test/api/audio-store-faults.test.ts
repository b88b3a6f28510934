import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "@jest/globals";
import { onEachDatabase } from "../helpers/databases.js";
import { answerHasGrownTo, endOfTurn, lastMessages } from "../helpers/exchanges.js";
import {
  askByAudio,
  askByText,
  deleteConversation,
  retryTurn,
  startedConversation,
} from "../helpers/operations.js";
import type { Turn } from "../helpers/operations.js";
import { TestParley } from "../helpers/parley.js";
import { keptSoundFiles, spokenWav } from "../helpers/sound.js";

/** What is left where a disk took the words and not the sound: they were paid for. */
const wordsAlone = {
  status: "FAILED",
  error: { code: "INTERNAL" },
  assistantMessage: { transcript: "one two", audio: null },
  usage: { estimated: false },
};

async function retry(parley: TestParley, turnId: string): Promise<Turn> {
  return (await parley.ask<{ retryTurn: { turn: Turn } }>(retryTurn, { input: { turnId } })).retryTurn.turn;
}

/** Makes the path a file. The server may make it a folder meanwhile, when it marks its store at the start. */
async function putInTheWay(path: string): Promise<void> {
  let placed = false;
  while (!placed) {
    await rm(path, { recursive: true, force: true });
    placed = await writeFile(path, "in the way").then(
      () => true,
      () => false,
    );
  }
}

onEachDatabase("a store of audio that fails", (kind) => {
  it("when an answer's sound begins: the words are kept and counted, and a retry brings the sound", async () => {
    const parley = await TestParley.start(kind);
    const drafts = join(parley.dataDir, "audio", "drafts");
    await mkdir(join(parley.dataDir, "audio"), { recursive: true });
    await putInTheWay(drafts);
    const turn = await askByText(parley, await startedConversation(parley), "Say 'one two'");
    expect(turn).toMatchObject(wordsAlone);
    expect(parley.log.join("")).toContain("the sound of an answer could not be kept");
    expect(parley.standIn.requests).toHaveLength(1);

    await rm(drafts);
    const again = await retry(parley, turn.id);
    expect(again).toMatchObject({ status: "COMPLETED" });
    // Both calls were paid.
    expect(again.usage?.outputAudioTokens).toBe(2 * (turn.usage?.outputAudioTokens ?? 0));
    expect(turn.usage?.outputAudioTokens).toBeGreaterThan(0);
    expect(again.assistantMessage?.audio?.byteLength).toBeGreaterThan(44);
  });

  it("when an answer's sound gets its name: the words are kept, and no draft stays", async () => {
    const parley = await TestParley.start(kind);
    const conversationId = await startedConversation(parley);
    const pause = parley.standIn.pauseNext("after-first-audio");
    const { id } = await askByText(parley, conversationId, "Say 'one two'", { waitMs: 0 });
    await pause.reached;
    await answerHasGrownTo(parley, 44 + 19_200);
    const folder = join(parley.dataDir, "audio", conversationId);
    await writeFile(folder, "in the way");
    pause.release();
    expect(await endOfTurn(parley, id)).toMatchObject(wordsAlone);
    expect(await keptSoundFiles(parley)).toEqual([folder]);
  });

  it("when a filtered answer's sound can't be removed: nothing of the answer can be read all the same", async () => {
    const parley = await TestParley.start(kind);
    const conversationId = await startedConversation(parley);
    parley.standIn.failNext({ name: "content-filter-answer" });
    const pause = parley.standIn.pauseNext("after-first-audio");
    const { id } = await askByText(parley, conversationId, "Say 'one two'", { waitMs: 0 });
    await pause.reached;
    await answerHasGrownTo(parley, 44 + 19_200);
    const [draft = ""] = await keptSoundFiles(parley);
    await rm(draft);
    await mkdir(draft);
    pause.release();
    expect(await endOfTurn(parley, id)).toMatchObject({
      status: "FAILED",
      error: { code: "CONTENT_FILTERED" },
      assistantMessage: null,
    });
    const { client } = parley.server.context.database;
    expect([await client.answerLogEntry.count(), await client.audioClip.count()]).toEqual([0, 0]);
  });

  it("that has lost an earlier question: its words stand for it, and the conversation goes on", async () => {
    const parley = await TestParley.start(kind);
    const conversationId = await startedConversation(parley);
    const textOnly = { reply: { modalities: ["TEXT"] } };
    await askByAudio(parley, conversationId, spokenWav(2_000), textOnly);
    const [file = ""] = await keptSoundFiles(parley);
    await askByAudio(parley, conversationId, spokenWav(1_000, 880), textOnly);
    await rm(file);
    const turn = await askByText(parley, conversationId, "Say 'hello'", textOnly);
    expect(turn).toMatchObject({ status: "COMPLETED", omittedTurns: 0 });
    const sent = lastMessages(parley.standIn).filter((message) => message.startsWith("user"));
    expect(sent).toEqual(["user: [spoken message, 0:02]", "user: <sound>", "user: Say 'hello'"]);
    expect(parley.log.filter((line) => line.includes("earlier sound is lost"))).toHaveLength(1);
  });

  it("when a conversation's sound is removed: its rows go all the same, and the log names the file", async () => {
    const parley = await TestParley.start(kind);
    const conversationId = await startedConversation(parley);
    await askByAudio(parley, conversationId, spokenWav());
    const [file = ""] = await keptSoundFiles(parley);
    await rm(file);
    await mkdir(join(file, "in-the-way"), { recursive: true });
    const deleted = await parley.ask(deleteConversation, { id: conversationId });
    expect(deleted).toEqual({ deleteConversation: { deletedConversationId: conversationId } });
    expect(await parley.server.context.database.client.audioClip.count()).toBe(0);
    expect(parley.log.filter((line) => line.includes("StorageError")).join("")).toContain(conversationId);
  });
});

onEachDatabase("deleting conversations while their turns end", (kind) => {
  it("leaves neither rows nor files nor a failure, whoever is first", async () => {
    const parley = await TestParley.start(kind);
    const ids = await Promise.all(Array.from({ length: 12 }, () => startedConversation(parley)));
    for (const [index, id] of ids.entries()) {
      const turn = askByText(parley, id, "Say 'gone'").catch((error: unknown) => error);
      // Each time a little later: between acceptance and the end there are some forty turns of the event loop.
      for (let wait = 0; wait < index * 8; wait += 1) await new Promise((resolve) => setImmediate(resolve));
      const deleted = await parley.ask(deleteConversation, { id });
      expect(deleted).toEqual({ deleteConversation: { deletedConversationId: id } });
      await turn;
    }
    const { client } = parley.server.context.database;
    const rows = [client.turn.count(), client.message.count(), client.audioClip.count()];
    expect(await Promise.all(rows)).toEqual([0, 0, 0]);
    expect(await keptSoundFiles(parley)).toEqual([]);
    const faults = parley.log.filter((line) => line.includes('"level":50'));
    expect(faults).toEqual([]);
  });
});
