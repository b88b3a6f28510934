import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { rm } from "node:fs/promises";
import { request } from "node:http";
import { expect, it } from "@jest/globals";
import { budgetSettings } from "../helpers/budgets.js";
import { onEachDatabase } from "../helpers/databases.js";
import { deleted } from "../helpers/deletions.js";
import { askByAudio, askByText, startedConversation } from "../helpers/operations.js";
import { TestParley } from "../helpers/parley.js";
import { keyOf } from "../helpers/people.js";
import { download, keptSoundFiles, sha256Of, spokenWav } from "../helpers/sound.js";
import { openSql } from "../helpers/sql.js";
import { storeTurns } from "../helpers/stored-conversations.js";
import { askByUpload, receivedUpload } from "../helpers/uploads.js";
import { unzipped } from "../helpers/zip.js";

async function exported(parley: TestParley): Promise<Map<string, Buffer>> {
  const response = await fetch(`${parley.url}/export`);
  expect(response.status).toBe(200);
  return unzipped(Buffer.from(await response.arrayBuffer()));
}

function json(files: Map<string, Buffer>, path: string): unknown {
  return JSON.parse(files.get(path)?.toString() ?? "null");
}

onEachDatabase("an export", (kind) => {
  it("holds everything of the person as JSON and sound, with the hash of each file, and nothing of others", async () => {
    const parley = await TestParley.start(kind);
    const sql = await openSql(parley.databaseUrl);
    const foreign = await startedConversation(parley);
    await sql(`UPDATE "Conversation" SET "ownerId" = 'viewer_other' WHERE "id" = '${foreign}'`);
    const id = await startedConversation(parley, { title: "Dogs", instructions: "Be brief." });
    const said = await askByAudio(parley, id, spokenWav(), { text: "What is this?" });
    const mp3 = await askByText(parley, id, "Say 'two'.", { reply: { format: "MP3" } });
    const files = await exported(parley);
    const folder = `conversations/${id}`;
    const clips = [said.userMessage.audio, said.assistantMessage?.audio, mp3.assistantMessage?.audio];
    const names = [".wav", ".wav", ".mp3"].map((end, index) => `${folder}/${clips[index]?.id ?? ""}${end}`);
    expect([...files.keys()].sort()).toEqual(
      [
        "README.txt",
        "viewer.json",
        "usage.json",
        "calls.json",
        "spending.json",
        "events.json",
        "deletions.json",
        "manifest.json",
        "uploads/uploads.json",
        `${folder}/conversation.json`,
        ...names,
      ].sort(),
    );
    for (const [index, name] of names.entries())
      expect(files.get(name)).toEqual(await download(clips[index]));
    expect(json(files, `${folder}/conversation.json`)).toMatchObject({
      title: "Dogs",
      instructions: "Be brief.",
      turns: [
        { position: 1, messages: [{ role: "USER", text: "What is this?" }, { role: "ASSISTANT" }] },
        { position: 2, usage: { outputAudioTokens: mp3.usage?.outputAudioTokens } },
      ],
    });
    const manifest = json(files, "manifest.json") as { files: object[]; lostSound: string[] };
    const listed = [...files].filter(([path]) => path !== "manifest.json");
    expect(manifest.files).toHaveLength(listed.length);
    expect(manifest.files).toEqual(
      expect.arrayContaining(
        listed.map(([path, bytes]) => ({ path, byteLength: bytes.byteLength, sha256: sha256Of(bytes) })),
      ),
    );
    expect(manifest.lostSound).toEqual([]);
  });

  it("holds what is kept beside conversations: receipts, keys of requests, sound that is not used yet", async () => {
    const parley = await TestParley.start(kind);
    const gone = await startedConversation(parley);
    await askByText(parley, gone, "Say 'gone'.");
    const receipt = await deleted(parley, gone);
    const id = await startedConversation(parley, { idempotencyKey: "start-1" });
    const { id: turnId } = await askByText(parley, id, "Say 'one'.", { idempotencyKey: "turn-1" });
    const wav = spokenWav();
    const { uploadId } = await receivedUpload(parley, wav);
    const used = await receivedUpload(parley, wav);
    await askByUpload(parley, id, used.uploadId);
    const files = await exported(parley);
    expect(json(files, "deletions.json")).toMatchObject([{ id: receipt.id, kind: "CONVERSATION", turns: 1 }]);
    expect(json(files, `conversations/${id}/conversation.json`)).toMatchObject({
      idempotencyKeys: [
        { key: "start-1", turnId: null },
        { key: "turn-1", turnId },
      ],
    });
    expect(json(files, "uploads/uploads.json")).toMatchObject([
      { id: uploadId, byteLength: wav.byteLength, usedAt: null },
      { id: used.uploadId, receivedSha256: sha256Of(wav), usedAt: expect.any(String) as unknown },
    ]);
    expect(json(files, "calls.json")).toMatchObject([
      { turnId: null, outcome: "COMPLETE", completionId: expect.any(String) as unknown },
      { turnId, conversationId: id, outcome: "COMPLETE" },
      { conversationId: id, outcome: "COMPLETE" },
    ]);
    expect(files.get("calls.json")?.toString()).not.toMatch(/endpoint|test-deployment/);
    const events = json(files, "events.json") as { type: string; conversationId: string }[];
    expect(events.filter(({ conversationId }) => conversationId === gone).at(-1)?.type).toBe("DELETED");
    expect(events.at(-1)).toMatchObject({ conversationId: id, type: "TURN" });
    expect(files.get(`uploads/${uploadId}`)?.equals(wav)).toBe(true);
    expect([...files.keys()].filter((path) => path.startsWith("uploads/"))).toHaveLength(2);
  });

  it("holds each upload, however many there are, and what was spent where a budget counts it", async () => {
    const parley = await TestParley.start(kind, { env: await budgetSettings({ VIEWER_DAY: 5_000_000 }) });
    await askByText(parley, await startedConversation(parley), "Say 'one'.");
    const { uploadId } = await receivedUpload(parley, spokenWav());
    const { client } = parley.server.context.database;
    const upload = await client.audioUpload.findUniqueOrThrow({ where: { id: uploadId } });
    const older = Array.from({ length: 250 }, (_row, index) => ({
      ...upload,
      id: `upl_0${index}`,
      storageKey: null,
    }));
    await client.audioUpload.createMany({ data: older });
    const files = await exported(parley);
    expect(json(files, "uploads/uploads.json")).toHaveLength(251);
    expect(files.has(`uploads/${uploadId}`)).toBe(true);
    const spending = json(files, "spending.json") as { day: string; costMicroUsd: number }[];
    expect(spending.filter(({ costMicroUsd }) => costMicroUsd > 0)).toMatchObject([
      { day: expect.stringMatching(/^\d{4}-\d\d-\d\d$/) as unknown },
    ]);
  });

  it("names the sound that the store has lost", async () => {
    const parley = await TestParley.start(kind);
    const id = await startedConversation(parley);
    await askByText(parley, id, "Say 'one'.");
    const [path = ""] = await keptSoundFiles(parley);
    await rm(path);
    const manifest = json(await exported(parley), "manifest.json");
    expect(manifest).toMatchObject({ lostSound: [`conversations${path.slice(path.indexOf("/conv_"))}`] });
  });

  it("is one at a time, and stops with its client", async () => {
    const parley = await TestParley.start(kind);
    await storeTurns(parley, await startedConversation(parley), 300);
    const { client } = parley.server.context.database;
    // More than the sockets of both sides hold: longer than what a compressor looks back on.
    await client.message.updateMany({ data: { text: randomBytes(45_000).toString("base64") } });
    const first = request(`${parley.url}/export`).end();
    const [response] = (await once(first, "response")) as [{ statusCode: number }];
    expect(response.statusCode).toBe(200);
    const second = await fetch(`${parley.url}/export`);
    expect(second.status).toBe(429);
    expect(second.headers.get("retry-after")).toBe("5");
    expect(await second.json()).toMatchObject({
      errors: [{ extensions: { code: "RATE_LIMITED", retryable: true, retryAfterMs: 5_000 } }],
    });
    first.destroy();
    for (;;) {
      const next = await fetch(`${parley.url}/export`, { method: "GET" });
      await next.body?.cancel();
      if (next.status === 200) break;
    }
  });

  it("is for who signs in and may read, tells of their keys alone, and counts as a read", async () => {
    const env = { AUTH: "api-key", RATE_READS_PER_MINUTE: "2" };
    const parley = await TestParley.start(kind, { env });
    const [ada, bert] = [await keyOf(parley, "ada"), await keyOf(parley, "bert", { scopes: ["usage:read"] })];
    const answerTo = async (headers: Record<string, string>) => {
      const response = await fetch(`${parley.url}/export`, { headers });
      return { status: response.status, bytes: Buffer.from(await response.arrayBuffer()) };
    };
    expect((await answerTo({})).status).toBe(401);
    expect((await answerTo(bert.headers)).status).toBe(403);
    const files = await unzipped((await answerTo(ada.headers)).bytes);
    expect(json(files, "viewer.json")).toMatchObject({
      tenantId: "acme",
      keys: [{ id: ada.id, owner: "ada" }],
    });
    expect(files.get("viewer.json")?.toString()).not.toMatch(/secret|bert/);
    expect((await answerTo(ada.headers)).status).toBe(200);
    const refused = await answerTo(ada.headers);
    expect(refused.status).toBe(429);
    expect(refused.bytes.toString()).toContain("retryAfterMs");
  });

  it("is a download that is kept nowhere", async () => {
    const parley = await TestParley.start(kind);
    const response = await fetch(`${parley.url}/export`);
    await response.arrayBuffer();
    expect(Object.fromEntries(response.headers)).toMatchObject({
      "content-type": "application/zip",
      "content-disposition": 'attachment; filename="parley-export.zip"',
      "x-content-type-options": "nosniff",
      "cache-control": "no-store",
    });
  });
});
