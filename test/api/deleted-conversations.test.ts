import { mkdir, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { expect, it } from "@jest/globals";
import { onEachDatabase } from "../helpers/databases.js";
import { completedReceipt, deleted, receiptById } from "../helpers/deletions.js";
import { tracesOf } from "../helpers/everything.js";
import { answerHasGrownTo } from "../helpers/exchanges.js";
import { gateInsertsInto } from "../helpers/gates.js";
import { askByAudio, askByText, startedConversation } from "../helpers/operations.js";
import { TestParley } from "../helpers/parley.js";
import { keptSoundFiles, spokenWav } from "../helpers/sound.js";
import { openSql } from "../helpers/sql.js";

/** A file that nobody can remove, until `mend` is called. */
async function inTheWay(path: string): Promise<{ mend: () => Promise<void> }> {
  await rm(path);
  await mkdir(join(path, "inner"), { recursive: true });
  return { mend: () => rm(path, { recursive: true }) };
}

/** The conversation's rows are gone and its files are not: a server was killed in between. */
async function killedBeforeFiles(parley: TestParley, conversationId: string): Promise<void> {
  const sql = await openSql(parley.databaseUrl);
  await sql(`DELETE FROM "Conversation" WHERE "id" = '${conversationId}'`);
  await sql(`INSERT INTO "DeletionFile" ("path", "deletionId") VALUES ('${conversationId}/', 'del_1')`);
  const columns =
    '"id", "ownerId", "tenantId", "kind", "requestedBy", "requestedAt", "touchedAt", "rowsRemovedAt"';
  const at = "'2026-01-02T03:04:05.678Z'";
  await sql(`INSERT INTO "Deletion" (${columns})
    VALUES ('del_1', 'viewer_local', 'local', 'CONVERSATION', 'VIEWER', ${at}, ${at}, ${at})`);
}

it("The receipt of a deletion counts what is being kept of an answer at this moment, on Postgres", async () => {
  const parley = await TestParley.start("postgresql");
  const gate = await gateInsertsInto(parley.databaseUrl, "AnswerLogEntry");
  const id = await startedConversation(parley);
  await askByText(parley, id, "Say 'one two three four five six'.", { waitMs: 0 });
  await gate.waiting(1);
  const receipt = deleted(parley, id);
  await gate.waiting(2);
  await gate.open();
  expect(await receipt).toMatchObject({ turns: 1, messages: 2, logEntries: 1 });
});

onEachDatabase("a deleted conversation", (kind) => {
  it("leaves a receipt that lists what went, and nothing else", async () => {
    const parley = await TestParley.start(kind);
    const id = await startedConversation(parley, { title: "Secretly", idempotencyKey: "secret-key-1" });
    const said = await askByText(parley, id, "Say 'secret'.", { idempotencyKey: "secret-key-2" });
    const heard = await askByAudio(parley, id, spokenWav());
    const clips = [said.assistantMessage, heard.userMessage, heard.assistantMessage].map(
      (message) => message?.audio?.byteLength ?? 0,
    );

    const receipt = await deleted(parley, id);
    expect(receipt).toEqual({
      id: expect.stringMatching(/^del_[0-9A-Z]{26}$/) as unknown,
      kind: "CONVERSATION",
      conversationId: id,
      requestedBy: "VIEWER",
      requestedAt: expect.any(String) as unknown,
      completedAt: expect.any(String) as unknown,
      conversations: 1,
      turns: 2,
      messages: 4,
      clips: 3,
      audioByteLength: clips.reduce((sum, byteLength) => sum + byteLength, 0),
      logEntries: 0,
      idempotencyKeys: 2,
      events: 0,
      apiKeys: 0,
      uploads: 0,
      anonymisedCalls: 0,
    });
    expect(await receiptById(parley, receipt.id)).toEqual(receipt);
    expect(await keptSoundFiles(parley)).toEqual([]);
    for (const word of ["Secret", "secret-key", "'secret'", said.id, said.userMessage.id])
      expect(await tracesOf(parley, word)).toEqual(word === said.id ? ["ConversationEvent"] : []);
  });

  it("takes an answer along that is being written, with its log and its draft", async () => {
    const parley = await TestParley.start(kind);
    const pause = parley.standIn.pauseNext("after-first-audio");
    const id = await startedConversation(parley);
    await askByText(parley, id, "Say 'one two three four five six'.", { waitMs: 0 });
    await pause.reached;
    await answerHasGrownTo(parley, 45);
    const receipt = await deleted(parley, id);
    expect(receipt).toMatchObject({ turns: 1, messages: 2, completedAt: expect.any(String) as unknown });
    expect(receipt.logEntries).toBeGreaterThan(0);
    expect(await keptSoundFiles(parley)).toEqual([]);
    pause.release();
  });

  it("takes sound along that no row knew of, a draft among it", async () => {
    const parley = await TestParley.start(kind);
    const [id, other] = [await startedConversation(parley), await startedConversation(parley)];
    await askByText(parley, id, "Say 'one'.");
    await askByText(parley, other, "Say 'one'.");
    const [kept = ""] = (await keptSoundFiles(parley)).filter((path) => path.includes(other));
    const audio = join(parley.dataDir, "audio");
    await writeFile(join(audio, id, "clip_1.wav"), "sound");
    await writeFile(join(audio, "drafts", `${id}~clip_2.wav.part`), "sound");
    const foreign = join(audio, "drafts", `${other}~clip_2.wav.part`);
    await writeFile(foreign, "sound");
    await deleted(parley, id);
    expect((await keptSoundFiles(parley)).sort()).toEqual([kept, foreign].sort());
  });

  it("has an open receipt while a file can't be removed, which the log names, and is finished later", async () => {
    const parley = await TestParley.start(kind);
    const id = await startedConversation(parley);
    await askByText(parley, id, "Say 'one'.");
    const [path = ""] = await keptSoundFiles(parley);
    const { mend } = await inTheWay(path);
    const receipt = await deleted(parley, id);
    expect(receipt).toMatchObject({ completedAt: null, clips: 1 });
    expect(parley.log.join("")).toContain(`${id}/${path.slice(dirname(path).length + 1)}`);
    await mend();
    await writeFile(path, "sound");
    await parley.restart();
    expect(await completedReceipt(parley, receipt.id)).toMatchObject({ conversations: 1, clips: 1 });
    expect(await keptSoundFiles(parley)).toEqual([]);
  });

  it("is finished at the next start where its server was killed between its rows and its files", async () => {
    const parley = await TestParley.start(kind);
    const id = await startedConversation(parley);
    await askByText(parley, id, "Say 'one'.");
    await killedBeforeFiles(parley, id);
    await parley.restart();
    while ((await keptSoundFiles(parley)).length > 0) await new Promise((resolve) => setImmediate(resolve));
  });

  it("tells its receipt to nobody else", async () => {
    const parley = await TestParley.start(kind);
    const receipt = await deleted(parley, await startedConversation(parley));
    const sql = await openSql(parley.databaseUrl);
    await sql(`UPDATE "Deletion" SET "ownerId" = 'viewer_other'`);
    expect(await receiptById(parley, receipt.id)).toBeNull();
    expect(await receiptById(parley, "del_nothing")).toBeNull();
  });
});
