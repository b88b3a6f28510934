import { expect, it } from "@jest/globals";
import { onEachDatabase } from "../helpers/databases.js";
import { endOfTurn } from "../helpers/exchanges.js";
import {
  addAudioTurn,
  addTextTurn,
  askByAudio,
  askByText,
  retryTurn,
  startConversation,
  startedConversation,
  deleteConversation,
} from "../helpers/operations.js";
import type { Turn } from "../helpers/operations.js";
import { TestParley } from "../helpers/parley.js";
import { keptSoundFiles, spokenWav } from "../helpers/sound.js";

const idempotencyKey = "order 66";

async function askByBase64(parley: TestParley, conversationId: string, audio: Uint8Array, more: object) {
  const base64 = Buffer.from(audio).toString("base64");
  const input = { conversationId, audio: { base64 }, ...more };
  return (await parley.ask<{ addAudioTurn: { turn: Turn } }>(addAudioTurn, { input })).addAudioTurn.turn;
}

async function codesOf(answer: Promise<{ errors: { extensions: { code: string } }[] }>): Promise<string[]> {
  return (await answer).errors.map(({ extensions }) => extensions.code);
}

onEachDatabase("an idempotency key", (kind) => {
  it("stands for one turn, which runs once however often it is asked for", async () => {
    const parley = await TestParley.start(kind);
    const conversationId = await startedConversation(parley);
    const first = await askByText(parley, conversationId, "Say 'once'", { idempotencyKey });
    const again = await askByText(parley, conversationId, "  Say 'once'\n", {
      idempotencyKey,
      waitMs: 0,
      // The defaults, written out.
      reply: { modalities: ["AUDIO"], format: "WAV", voice: null, maxTokens: null },
    });
    expect(again).toEqual(first);
    await parley.restart();
    expect((await askByText(parley, conversationId, "Say 'once'", { idempotencyKey })).id).toBe(first.id);
    expect(parley.standIn.requests).toHaveLength(1);
  });

  it("stands for one turn also where the requests come at the same moment, by text and by sound", async () => {
    const parley = await TestParley.start(kind);
    const wav = spokenWav();
    const [written, spoken] = [await startedConversation(parley), await startedConversation(parley)];
    const key = { idempotencyKey };
    const texts = await Promise.all([1, 2, 3].map(() => askByText(parley, written, "Say 'once'", key)));
    const sounds = await Promise.all([
      askByAudio(parley, spoken, wav, key),
      askByBase64(parley, spoken, wav, key),
      askByAudio(parley, spoken, wav, key),
      askByBase64(parley, spoken, wav, key),
    ]);
    for (const turns of [texts, sounds]) {
      expect(new Set(turns.map(({ id }) => id)).size).toBe(1);
      expect(turns.map(({ status }) => status)).toEqual(turns.map(() => "COMPLETED"));
    }
    expect(parley.standIn.requests).toHaveLength(2);
    // The question once, and two answers.
    expect(await keptSoundFiles(parley)).toHaveLength(3);
  });

  it("is refused for any other request", async () => {
    const parley = await TestParley.start(kind);
    const conversationId = await startedConversation(parley);
    await askByText(parley, conversationId, "Say 'once'", { idempotencyKey });
    const same = { conversationId, text: "Say 'once'", idempotencyKey };
    const base64 = (frequencyHz: number) => Buffer.from(spokenWav(200, frequencyHz)).toString("base64");
    const others = [
      { ...same, text: "Say 'twice'" },
      { ...same, reply: { modalities: ["TEXT"] } },
      { ...same, reply: { format: "MP3" } },
      { ...same, reply: { voice: "echo" } },
      { ...same, reply: { maxTokens: 10 } },
      { ...same, reply: { temperature: 1 } },
    ];
    for (const input of others)
      expect(await codesOf(parley.send(addTextTurn, { input }))).toEqual(["IDEMPOTENCY_KEY_REUSED"]);
    const spoken = { ...same, audio: { base64: base64(440) } };
    expect(await codesOf(parley.send(addAudioTurn, { input: spoken }))).toEqual(["IDEMPOTENCY_KEY_REUSED"]);

    const sound = { conversationId, audio: { base64: base64(440) }, idempotencyKey: "sound" };
    await parley.ask(addAudioTurn, { input: sound });
    const other = { ...sound, audio: { base64: base64(880) } };
    expect(await codesOf(parley.send(addAudioTurn, { input: other }))).toEqual(["IDEMPOTENCY_KEY_REUSED"]);
    expect(parley.standIn.requests).toHaveLength(2);
    expect(await keptSoundFiles(parley)).toHaveLength(3);
  });

  it("answers with its turn while that one runs, and while another one runs", async () => {
    const parley = await TestParley.start(kind);
    const conversationId = await startedConversation(parley);
    const first = await askByText(parley, conversationId, "Say 'first'", { idempotencyKey });
    const pause = parley.standIn.pauseNext("before-answer");
    const key = { idempotencyKey: "second" };
    const second = await askByText(parley, conversationId, "Say 'second'", { ...key, waitMs: 0 });
    await pause.reached;

    expect((await askByText(parley, conversationId, "Say 'first'", { idempotencyKey })).id).toBe(first.id);
    const replay = await askByText(parley, conversationId, "Say 'second'", { ...key, waitMs: 0 });
    expect(replay).toMatchObject({ id: second.id, status: "RUNNING" });
    const waiting = askByText(parley, conversationId, "Say 'second'", key);
    pause.release();
    expect(await waiting).toMatchObject({ id: second.id, status: "COMPLETED" });
    expect(parley.standIn.requests).toHaveLength(2);
  });

  it("is not used up by a request that is refused", async () => {
    const parley = await TestParley.start(kind);
    const conversationId = await startedConversation(parley);
    const refused = { conversationId, text: "   ", idempotencyKey };
    expect(await codesOf(parley.send(addTextTurn, { input: refused }))).toEqual(["BAD_USER_INPUT"]);
    const noise = { conversationId, audio: { base64: "bm90IHNvdW5k" }, idempotencyKey };
    expect(await codesOf(parley.send(addAudioTurn, { input: noise }))).toEqual(["AUDIO_FORMAT_UNSUPPORTED"]);

    const pause = parley.standIn.pauseNext("before-answer");
    const running = await askByText(parley, conversationId, "Say 'first'", { waitMs: 0 });
    await pause.reached;
    const input = { conversationId, text: "Say 'second'", idempotencyKey };
    expect(await codesOf(parley.send(addTextTurn, { input }))).toEqual(["TURN_IN_PROGRESS"]);
    pause.release();
    await endOfTurn(parley, running.id);
    const other = await askByText(parley, conversationId, "Say 'third'", { idempotencyKey });
    expect(other).toMatchObject({ position: 2, status: "COMPLETED" });
  });

  it("counts within its conversation, for adding and retrying turns together, and goes with it", async () => {
    const parley = await TestParley.start(kind);
    const [one, two] = [await startedConversation(parley), await startedConversation(parley)];
    parley.standIn.failNext({ name: "server-error" });
    const first = await askByText(parley, one, "Say 'one'", { idempotencyKey });
    const second = await askByText(parley, two, "Say 'two'", { idempotencyKey });
    expect(first).toMatchObject({ status: "FAILED" });
    expect(second).toMatchObject({ status: "COMPLETED" });
    expect(second.id).not.toBe(first.id);
    const input = { turnId: first.id, idempotencyKey };
    expect(await codesOf(parley.send(retryTurn, { input }))).toEqual(["IDEMPOTENCY_KEY_REUSED"]);

    await parley.ask(deleteConversation, { id: one });
    expect(await parley.server.context.database.client.idempotencyKey.count()).toBe(1);
  });

  it("makes a retry run once, also where two come at the same moment", async () => {
    const parley = await TestParley.start(kind);
    const conversationId = await startedConversation(parley);
    parley.standIn.failNext({ name: "server-error" });
    const failed = await askByText(parley, conversationId, "Say 'once more'");
    const input = { turnId: failed.id, idempotencyKey };
    const retries = await Promise.all(
      [1, 2, 3].map(() => parley.ask<{ retryTurn: { turn: Turn } }>(retryTurn, { input })),
    );
    await askByText(parley, conversationId, "Say 'next'");
    const late = await parley.ask<{ retryTurn: { turn: Turn } }>(retryTurn, { input });
    for (const { retryTurn: payload } of [...retries, late])
      expect(payload.turn).toMatchObject({ id: failed.id, attempt: 2, status: "COMPLETED" });
    expect(parley.standIn.requests).toHaveLength(3);
  });

  it("starts one conversation, whose key then stands for it until it is deleted", async () => {
    const parley = await TestParley.start(kind);
    const input = { title: "Dogs", idempotencyKey };
    const ids = await Promise.all([1, 2, 3].map(() => startedConversation(parley, input)));
    expect(new Set(ids).size).toBe(1);
    expect(await startedConversation(parley, { ...input, title: " Dogs " })).toBe(ids[0]);
    const other = { ...input, title: "Cats" };
    expect(await codesOf(parley.send(startConversation, { input: other }))).toEqual([
      "IDEMPOTENCY_KEY_REUSED",
    ]);
    // The scope is another one: a turn may have the same key.
    expect((await askByText(parley, ids[0] ?? "", "Say 'hello'", { idempotencyKey })).status).toBe(
      "COMPLETED",
    );

    await parley.ask(deleteConversation, { id: ids[0] });
    expect(await startedConversation(parley, other)).not.toBe(ids[0]);
    const wrong = { ...input, idempotencyKey: "ключ" };
    expect(await codesOf(parley.send(startConversation, { input: wrong }))).toEqual(["BAD_USER_INPUT"]);
  });
});
