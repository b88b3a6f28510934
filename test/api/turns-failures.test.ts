import { unlink } from "node:fs/promises";
import { expect, it } from "@jest/globals";
import type { Fault } from "../../src/stand-in/faults/fault.js";
import { onEachDatabase } from "../helpers/databases.js";
import { answerHasGrownTo, endOfTurn, lastMessages } from "../helpers/exchanges.js";
import { askByAudio, askByText, retryTurn, startedConversation, turnById } from "../helpers/operations.js";
import type { Turn } from "../helpers/operations.js";
import { TestParley } from "../helpers/parley.js";
import { download, keptSoundFiles, spokenWav } from "../helpers/sound.js";

const halfSpoken = { text: null, transcript: "one two", audio: { durationMs: 400, format: "WAV" } };

async function askInVain(parley: TestParley, fault: Fault, more: object = {}): Promise<Turn> {
  parley.standIn.failNext(fault);
  return askByText(parley, await startedConversation(parley), "Say 'one two'", more);
}

onEachDatabase("a failure of the model", (kind) => {
  it("has a code, and says whether trying again makes sense", async () => {
    const parley = await TestParley.start(kind);
    const table: [Fault, string][] = [
      [{ name: "content-filter-prompt" }, "CONTENT_FILTERED, final"],
      [{ name: "content-filter-answer" }, "CONTENT_FILTERED, final"],
      [{ name: "context-length" }, "CONTEXT_TOO_LONG, final"],
      [{ name: "rejected" }, "PROVIDER_REJECTED, final"],
      [{ name: "too-large" }, "PROVIDER_REJECTED, final"],
      [{ name: "unauthorized", shape: "key" }, "PROVIDER_AUTH_FAILED, final"],
      [{ name: "unauthorized", shape: "token" }, "PROVIDER_AUTH_FAILED, final"],
      [{ name: "unauthorized", shape: "permission" }, "PROVIDER_AUTH_FAILED, final"],
      [{ name: "forbidden", reason: "key-disabled" }, "PROVIDER_AUTH_FAILED, final"],
      [{ name: "forbidden", reason: "firewall" }, "PROVIDER_AUTH_FAILED, final"],
      [{ name: "not-found" }, "PROVIDER_DEPLOYMENT_NOT_FOUND, final"],
      [{ name: "timeout" }, "PROVIDER_TIMEOUT, retryable"],
      [{ name: "rate-limited", retryAfterMs: 60_000 }, "PROVIDER_RATE_LIMITED, retryable"],
      [{ name: "rate-limited", quota: true }, "PROVIDER_RATE_LIMITED, final"],
      [{ name: "server-error" }, "PROVIDER_UNAVAILABLE, retryable"],
      [{ name: "unavailable", retryAfterMs: 60_000 }, "PROVIDER_UNAVAILABLE, retryable"],
      [{ name: "cut", at: "before-headers" }, "PROVIDER_UNAVAILABLE, retryable"],
      [{ name: "stream-error" }, "PROVIDER_UNAVAILABLE, retryable"],
      [{ name: "cut", at: "middle" }, "ANSWER_INCOMPLETE, retryable"],
      [{ name: "audio-missing", variant: "no-data" }, "ANSWER_INCOMPLETE, retryable"],
    ];
    const found: [Fault, string][] = [];
    for (const [fault] of table) {
      const { status, error, finishReason, endedAt } = await askInVain(parley, fault);
      expect([status, finishReason, endedAt === null]).toEqual(["FAILED", null, false]);
      expect(error?.message).toMatch(/^[A-Z].*\.$/s);
      found.push([fault, `${error?.code}, ${error?.retryable === true ? "retryable" : "final"}`]);
    }
    expect(found).toEqual(table);
    // Each was asked once: what may have been billed, or can't get better, is not sent again.
    expect(parley.standIn.requests).toHaveLength(table.length);
  });

  it("tells when to come back where the provider told it", async () => {
    const parley = await TestParley.start(kind);
    const before = Date.now();
    const limited = await askInVain(parley, { name: "rate-limited", retryAfterMs: 60_000 });
    const retryAfter = Date.parse(limited.error?.retryAfter ?? "");
    expect(retryAfter).toBeGreaterThanOrEqual(before + 60_000);
    expect(retryAfter).toBeLessThanOrEqual(Date.now() + 60_000);
    expect((await askInVain(parley, { name: "server-error" })).error?.retryAfter).toBeNull();
  });

  it("keeps what was received before the answer broke off, and nothing of it goes into later requests", async () => {
    const parley = await TestParley.start(kind);
    const cut = await askInVain(parley, { name: "cut" });
    const broken = await askInVain(parley, { name: "stream-error" });
    for (const turn of [cut, broken]) {
      expect(turn.assistantMessage).toMatchObject(halfSpoken);
      const wav = await download(turn.assistantMessage?.audio);
      expect([wav.byteLength, wav.readUInt32LE(40)]).toEqual([44 + 19_200, 19_200]);
      expect(turn.usage).toMatchObject({ estimated: true, outputAudioTokens: 8 });
    }
    await askByText(parley, cut.conversation.id, "Say 'three'");
    expect(lastMessages(parley.standIn)).toEqual(["user: Say 'three'"]);

    const written = await askInVain(parley, { name: "cut" }, { reply: { modalities: ["TEXT"] } });
    expect(written.assistantMessage).toMatchObject({ text: "one two", transcript: null, audio: null });
    const whole = await askInVain(parley, { name: "cut" }, { reply: { format: "MP3" } });
    expect(whole).toMatchObject({ error: { code: "ANSWER_INCOMPLETE" }, assistantMessage: null });
  });

  it("leaves nothing of an answer that was filtered, and no filtered message in later requests", async () => {
    const parley = await TestParley.start(kind);
    const conversationId = await startedConversation(parley);
    parley.standIn.failNext(
      { name: "content-filter-answer" },
      { name: "content-filter-answer" },
      { name: "content-filter-prompt" },
    );
    const filtered = [
      await askByText(parley, conversationId, "Say 'something bad'"),
      await askByText(parley, conversationId, "Say 'something bad'", { reply: { format: "OPUS" } }),
      await askByText(parley, conversationId, "Something bad"),
    ];
    for (const turn of filtered) {
      expect(turn).toMatchObject({ status: "FAILED", assistantMessage: null });
      expect(turn.error).toMatchObject({ code: "CONTENT_FILTERED", retryable: false });
    }
    expect(await keptSoundFiles(parley)).toEqual([]);
    const next = await askByText(parley, conversationId, "Say 'hello'");
    expect(next).toMatchObject({ status: "COMPLETED", position: 4, omittedTurns: 0 });
    expect(lastMessages(parley.standIn)).toEqual(["user: Say 'hello'"]);
  });

  it("is waited out by the server itself where the model can't have answered: one turn, one paid call", async () => {
    const parley = await TestParley.start(kind);
    parley.standIn.failNext({ name: "rate-limited", retryAfterMs: 20 }, { name: "unavailable" });
    const turn = await askByText(parley, await startedConversation(parley), "Say 'at last'");
    expect(turn).toMatchObject({ status: "COMPLETED", attempt: 1, error: null });
    expect(turn.usage).toMatchObject({ outputAudioTokens: 20, estimated: false });
    expect(parley.standIn.requests.map(({ status }) => status)).toEqual([429, 503, 200]);
    expect(parley.log.filter((line) => line.includes("the model is asked again"))).toHaveLength(2);

    parley.standIn.setFault({ name: "rate-limited", retryAfterMs: 1 });
    const given = await askByText(parley, turn.conversation.id, "Say 'never'");
    expect(given.error).toMatchObject({ code: "PROVIDER_RATE_LIMITED", retryable: true });
    expect(parley.standIn.requests).toHaveLength(6);
  });

  it("is PROVIDER_UNAVAILABLE where there is no connection, with a next step", async () => {
    const parley = await TestParley.start(kind);
    const conversationId = await startedConversation(parley);
    await parley.standIn.close();
    const turn = await askByText(parley, conversationId, "Say 'hello'");
    expect(turn).toMatchObject({ status: "FAILED", assistantMessage: null });
    expect(turn.error).toMatchObject({ code: "PROVIDER_UNAVAILABLE", retryable: true });
    expect(turn.error?.message).toContain("AZURE_OPENAI_ENDPOINT");
    expect(turn.usage).toMatchObject({ inputTextTokens: 0, outputTextTokens: 0, estimated: false });
  });
});

onEachDatabase("a turn whose model falls silent", (kind) => {
  it("fails as PROVIDER_TIMEOUT when nothing comes any more, and keeps what came", async () => {
    const parley = await TestParley.start(kind, { env: { MODEL_IDLE_TIMEOUT_MS: "3000" } });
    const timeout = { status: "FAILED", error: { code: "PROVIDER_TIMEOUT", retryable: true } };
    for (const at of ["before-headers", "after-headers"] as const) {
      const turn = await askInVain(parley, { name: "stall", at });
      expect(turn).toMatchObject({ ...timeout, assistantMessage: null });
    }
    const turn = await askInVain(parley, { name: "stall", at: "after-audio" });
    expect(turn).toMatchObject({ ...timeout, assistantMessage: halfSpoken, usage: { estimated: true } });
    const ends = await Promise.all(parley.standIn.requests.map(({ ended }) => ended));
    expect(ends).toEqual(["disconnected", "disconnected", "disconnected"]);
  });

  it("fails as PROVIDER_TIMEOUT when the whole answer takes too long", async () => {
    const parley = await TestParley.start(kind, { env: { MODEL_TOTAL_TIMEOUT_MS: "5000" } });
    const turn = await askInVain(parley, { name: "stall" }, { reply: { format: "MP3" } });
    expect(turn).toMatchObject({
      error: { code: "PROVIDER_TIMEOUT", retryable: true },
      assistantMessage: null,
    });
    expect(await parley.standIn.requests[0]?.ended).toBe("disconnected");
  });
});

onEachDatabase("a failure of the server", (kind) => {
  it("that is stopped during a call is INTERRUPTED, keeps what was received and can be retried", async () => {
    const parley = await TestParley.start(kind);
    const pause = parley.standIn.pauseNext("after-first-audio");
    const conversationId = await startedConversation(parley);
    const { id } = await askByText(parley, conversationId, "Say 'one two'", { waitMs: 0 });
    await pause.reached;
    await answerHasGrownTo(parley, 44 + 19_200);
    await parley.restart();

    expect(await parley.standIn.requests[0]?.ended).toBe("disconnected");
    expect(await turnById(parley, id)).toMatchObject({
      status: "FAILED",
      error: { code: "INTERRUPTED", retryable: true },
      assistantMessage: halfSpoken,
      usage: { estimated: true },
    });
    const retried = await parley.ask<{ retryTurn: { turn: Turn } }>(retryTurn, { input: { turnId: id } });
    expect(retried.retryTurn.turn).toMatchObject({ id, status: "COMPLETED", attempt: 2 });
  });

  it("is INTERNAL, without detail for the caller and with detail in the log", async () => {
    const parley = await TestParley.start(kind);
    const conversationId = await startedConversation(parley);
    parley.standIn.failNext({ name: "server-error" });
    const { id } = await askByAudio(parley, conversationId, spokenWav());
    const [question = ""] = await keptSoundFiles(parley);
    await unlink(question);
    await parley.ask(retryTurn, { input: { turnId: id, waitMs: 0 } });
    const turn = await endOfTurn(parley, id);
    expect(turn).toMatchObject({ status: "FAILED", error: { code: "INTERNAL", retryable: true } });
    expect(turn.error?.message).not.toContain(conversationId);
    const logged = parley.log.filter((line) => line.includes(id) && line.includes("audio store has lost"));
    expect(logged).toHaveLength(1);
  });
});
