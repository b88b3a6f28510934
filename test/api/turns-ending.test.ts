import { expect, it } from "@jest/globals";
import { onEachDatabase } from "../helpers/databases.js";
import { answerHasGrownTo, endOfTurn, lastMessages, sentRequests } from "../helpers/exchanges.js";
import {
  addTextTurn,
  askByAudio,
  askByText,
  cancelTurn,
  deleteConversation,
  retryTurn,
  startedConversation,
  turnById,
} from "../helpers/operations.js";
import type { Turn } from "../helpers/operations.js";
import { TestParley } from "../helpers/parley.js";
import { download, keptSoundFiles, sha256Of, spokenWav } from "../helpers/sound.js";

/** What the stand-in has sent where it pauses after its first sound: the header's place and 0.4 s. */
const firstSoundByteLength = 44 + 19_200;

async function cancel(parley: TestParley, turnId: string): Promise<Turn> {
  return (await parley.ask<{ cancelTurn: { turn: Turn } }>(cancelTurn, { input: { turnId } })).cancelTurn
    .turn;
}

async function retry(parley: TestParley, turnId: string, more: object = {}): Promise<Turn> {
  const input = { turnId, ...more };
  return (await parley.ask<{ retryTurn: { turn: Turn } }>(retryTurn, { input })).retryTurn.turn;
}

/** A turn that runs and has received its words and 0.4 s of sound; it is held there. */
async function askHalfway(parley: TestParley, conversationId: string, text: string): Promise<Turn> {
  const pause = parley.standIn.pauseNext("after-first-audio");
  const turn = await askByText(parley, conversationId, text, { waitMs: 0 });
  await pause.reached;
  await answerHasGrownTo(parley, firstSoundByteLength);
  return turn;
}

onEachDatabase("cancelling", (kind) => {
  it("stops a running turn, closes the connection to the model and keeps what was received", async () => {
    const parley = await TestParley.start(kind);
    const conversationId = await startedConversation(parley);
    const { id } = await askHalfway(parley, conversationId, "Say 'one two three'");
    const cancelled = await cancel(parley, id);

    expect(await parley.standIn.requests[0]?.ended).toBe("disconnected");
    expect(cancelled).toMatchObject({
      id,
      status: "CANCELLED",
      error: null,
      finishReason: null,
      assistantMessage: { text: null, transcript: "one two three", audio: { durationMs: 400 } },
      usage: { estimated: true, outputAudioTokens: 8 },
    });
    expect(cancelled.endedAt).not.toBeNull();
    const wav = await download(cancelled.assistantMessage?.audio);
    expect([wav.byteLength, wav.readUInt32LE(40)]).toEqual([firstSoundByteLength, 19_200]);
    expect(sha256Of(wav)).toBe(cancelled.assistantMessage?.audio?.sha256);
    expect(await cancel(parley, id)).toEqual(cancelled);

    await askByText(parley, conversationId, "Say 'four'");
    expect(lastMessages(parley.standIn)).toEqual([
      "user: Say 'one two three'",
      "assistant: one two three",
      "user: Say 'four'",
    ]);
  });

  it("stops a turn before the model has said anything; such a turn is no part of later requests", async () => {
    const parley = await TestParley.start(kind);
    const conversationId = await startedConversation(parley);
    const pause = parley.standIn.pauseNext("before-answer");
    const waiting = askByText(parley, conversationId, "Say 'too late'");
    await pause.reached;
    const active = await parley.ask<{ conversation: { activeTurn: { id: string } } }>(
      "query ($id: ID!) { conversation(id: $id) { activeTurn { id } } }",
      { id: conversationId },
    );
    const cancelled = await cancel(parley, active.conversation.activeTurn.id);
    expect(cancelled).toMatchObject({ status: "CANCELLED", assistantMessage: null, error: null });
    expect(await waiting).toEqual(cancelled);
    expect(await parley.standIn.requests[0]?.ended).toBe("disconnected");

    const next = await askByText(parley, conversationId, "Say 'hello'");
    expect(next).toMatchObject({ position: 2, omittedTurns: 0 });
    expect(lastMessages(parley.standIn)).toEqual(["user: Say 'hello'"]);
  });

  it("stops a turn that waits to ask a busy model again", async () => {
    const parley = await TestParley.start(kind);
    parley.standIn.failNext({ name: "rate-limited", retryAfterMs: 15_000 });
    const pause = parley.standIn.pauseNext("before-answer");
    const turn = await askByText(parley, await startedConversation(parley), "Say 'hello'", { waitMs: 0 });
    const request = await pause.reached;
    pause.release();
    expect(await request.ended).toBe("answered");
    expect(await cancel(parley, turn.id)).toMatchObject({ status: "CANCELLED", assistantMessage: null });
    expect(parley.standIn.requests).toHaveLength(1);
  });

  it("does nothing to a turn that has ended, and knows no other turns", async () => {
    const parley = await TestParley.start(kind);
    const completed = await askByText(parley, await startedConversation(parley), "Say 'done'");
    expect(await cancel(parley, completed.id)).toEqual(completed);
    for (const turnId of ["turn_01K0000000000000000000000", completed.conversation.id, ""]) {
      const { errors } = await parley.send(cancelTurn, { input: { turnId } });
      expect(errors).toMatchObject([{ extensions: { code: "NOT_FOUND", retryable: false } }]);
    }
  });
});

onEachDatabase("retrying", (kind) => {
  it("runs a failed turn again in its place; the partial answer goes, its usage stays in the sums", async () => {
    const parley = await TestParley.start(kind);
    const conversationId = await startedConversation(parley);
    parley.standIn.failNext({ name: "cut" });
    const failed = await askByText(parley, conversationId, "Say 'one two three'");
    expect(failed).toMatchObject({ status: "FAILED", error: { code: "ANSWER_INCOMPLETE", retryable: true } });
    const [partial] = await keptSoundFiles(parley);

    const retried = await retry(parley, failed.id);
    expect(retried).toMatchObject({
      id: failed.id,
      position: 1,
      attempt: 2,
      status: "COMPLETED",
      error: null,
      finishReason: "STOP",
      createdAt: failed.createdAt,
      userMessage: failed.userMessage,
      assistantMessage: { transcript: "one two three", audio: { durationMs: 1_000 } },
    });
    expect(retried.assistantMessage?.id).not.toBe(failed.assistantMessage?.id);
    expect(await keptSoundFiles(parley)).toHaveLength(1);
    expect(await keptSoundFiles(parley)).not.toContain(partial);
    expect((await fetch(failed.assistantMessage?.audio?.url ?? "")).status).toBe(404);
    const second = { audio: 20, text: 4 };
    expect(retried.usage).toMatchObject({
      outputAudioTokens: (failed.usage?.outputAudioTokens ?? 0) + second.audio,
      outputTextTokens: (failed.usage?.outputTextTokens ?? 0) + second.text,
      estimated: true,
    });
    expect(failed.usage?.outputAudioTokens).toBe(8);
  });

  it("runs a cancelled turn again, as often as it takes, with the sound that came with it", async () => {
    const parley = await TestParley.start(kind);
    const wav = spokenWav();
    const pause = parley.standIn.pauseNext("before-answer");
    const turn = await askByAudio(parley, await startedConversation(parley), wav, {
      waitMs: 0,
      reply: { modalities: ["TEXT"], maxTokens: 300 },
    });
    await pause.reached;
    await cancel(parley, turn.id);
    parley.standIn.failNext({ name: "server-error" });
    const failed = await retry(parley, turn.id);
    expect(failed).toMatchObject({ attempt: 2, status: "FAILED", error: { code: "PROVIDER_UNAVAILABLE" } });
    const pauseAgain = parley.standIn.pauseNext("before-answer");
    const running = await retry(parley, turn.id, { waitMs: 0 });
    expect(running).toMatchObject({ attempt: 3, error: null, endedAt: null, assistantMessage: null });
    await pauseAgain.reached;
    pauseAgain.release();
    expect(await endOfTurn(parley, turn.id)).toMatchObject({ attempt: 3, status: "COMPLETED" });
    const [first, ...others] = sentRequests(parley.standIn);
    expect(others).toEqual([first, first]);
    expect(first?.messages[0]?.content).toMatchObject([{ input_audio: { data: { sha256: sha256Of(wav) } } }]);
  });

  it("is for the last turn, if it is FAILED or CANCELLED, and for no other", async () => {
    const parley = await TestParley.start(kind);
    const conversationId = await startedConversation(parley);
    const codeOf = async (turnId: string) =>
      (await parley.send(retryTurn, { input: { turnId } })).errors.map(({ extensions }) => extensions.code);
    const completed = await askByText(parley, conversationId, "Say 'done'");
    expect(await codeOf(completed.id)).toEqual(["TURN_NOT_RETRYABLE"]);
    parley.standIn.failNext({ name: "rejected" });
    const failed = await askByText(parley, conversationId, "Say 'failed'");
    const last = await askByText(parley, conversationId, "Say 'last'");
    expect(failed.status).toBe("FAILED");
    expect(await codeOf(failed.id)).toEqual(["TURN_NOT_RETRYABLE"]);
    expect(await codeOf(last.id)).toEqual(["TURN_NOT_RETRYABLE"]);
    expect(await codeOf("turn_01K0000000000000000000000")).toEqual(["NOT_FOUND"]);
    expect(await turnById(parley, failed.id)).toEqual(failed);
  });

  it("starts one attempt where several come at the same moment", async () => {
    const parley = await TestParley.start(kind);
    parley.standIn.failNext({ name: "rejected" });
    const failed = await askByText(parley, await startedConversation(parley), "Say 'once'");
    const pause = parley.standIn.pauseNext("before-answer");
    const input = { turnId: failed.id, waitMs: 0 };
    const answers = await Promise.all([1, 2, 3, 4].map(() => parley.send(retryTurn, { input })));
    const refusals = answers.flatMap(({ errors }) => errors.map(({ extensions }) => extensions));
    expect(refusals).toHaveLength(3);
    for (const refusal of refusals)
      expect(refusal).toMatchObject({ code: "TURN_IN_PROGRESS", turnId: failed.id });
    await pause.reached;
    pause.release();
    expect(await endOfTurn(parley, failed.id)).toMatchObject({ attempt: 2, status: "COMPLETED" });
    expect(parley.standIn.requests).toHaveLength(2);
  });
});

onEachDatabase("deleting a conversation", (kind) => {
  it("stops its running turn and removes its rows and its sound, once", async () => {
    const parley = await TestParley.start(kind);
    const conversationId = await startedConversation(parley);
    const first = await askByAudio(parley, conversationId, spokenWav());
    const input = { conversationId, text: "Say 'never heard'" };
    const pause = parley.standIn.pauseNext("after-first-audio");
    const waiting = parley.send(addTextTurn, { input });
    await pause.reached;
    await answerHasGrownTo(parley, firstSoundByteLength);
    const deleted = await parley.ask(deleteConversation, { id: conversationId });

    expect(deleted).toEqual({ deleteConversation: { deletedConversationId: conversationId } });
    expect(await parley.standIn.requests[1]?.ended).toBe("disconnected");
    expect(await keptSoundFiles(parley)).toEqual([]);
    expect((await fetch(first.assistantMessage?.audio?.url ?? "")).status).toBe(404);
    expect(await turnById(parley, first.id)).toBeNull();
    const { client } = parley.server.context.database;
    const rows = await Promise.all([
      client.conversation.count(),
      client.turn.count(),
      client.message.count(),
      client.audioClip.count(),
    ]);
    expect(rows).toEqual([0, 0, 0, 0]);
    // The mutation that waited either saw the turn's end before the rows went, or finds nothing any more.
    const { errors } = await waiting;
    for (const { extensions } of errors) expect(extensions.code).toBe("NOT_FOUND");
    const again = await parley.send(deleteConversation, { id: conversationId });
    expect(again.errors).toMatchObject([{ extensions: { code: "NOT_FOUND" } }]);
    const late = await parley.send(addTextTurn, { input });
    expect(late.errors).toMatchObject([{ extensions: { code: "NOT_FOUND" } }]);
  });
});
