import { describe, expect, it } from "@jest/globals";
import { onEachDatabase } from "../helpers/databases.js";
import { endOfTurn } from "../helpers/exchanges.js";
import {
  askByText,
  cancelTurn,
  deleteConversation,
  retryTurn,
  startedConversation,
  turnById,
} from "../helpers/operations.js";
import type { Turn } from "../helpers/operations.js";
import { sharedParley } from "../helpers/parley.js";
import type { TestParley } from "../helpers/parley.js";
import { subscribe, transports } from "../helpers/subscriptions.js";
import { Heard, TurnEventsError, turnEvents, turnEventsDocument } from "../helpers/turn-events.js";

/** What is kept of the answer, in the form in which a listener hears it. */
async function keptAnswer(turn: Turn | null) {
  const message = turn?.assistantMessage;
  const audio = message?.audio ?? null;
  const file = audio === null ? Buffer.alloc(0) : Buffer.from(await (await fetch(audio.url)).arrayBuffer());
  const headerByteLength = audio?.format === "WAV" ? 44 : 0;
  return {
    text: message?.text ?? null,
    transcript: message?.transcript ?? null,
    sound: file.subarray(headerByteLength).toString("base64"),
  };
}

/** A turn whose answer is held after its first sound. */
async function heldTurn(parley: TestParley, more: object = {}) {
  const conversationId = await startedConversation(parley);
  const pause = parley.standIn.pauseNext("after-first-audio");
  const turn = await askByText(parley, conversationId, "Count to 5.", { waitMs: 0, ...more });
  await pause.reached;
  return { conversationId, pause, turn };
}

onEachDatabase("the events of a turn", (kind) => {
  const shared = sharedParley(kind);

  describe.each(transports)("over %s", (transport) => {
    const follow = (turnId: string, after: string | null = null) =>
      turnEvents(transport, shared().url, turnId, after);
    const hear = (turnId: string, after: string | null = null) => new Heard().takeAll(follow(turnId, after));

    it.each(["WAV", "PCM16"])(
      "tell the words and the %s sound while they are spoken, then the end",
      async (format) => {
        const parley = shared();
        const { pause, turn } = await heldTurn(parley, { reply: { format } });
        const heard = new Heard();
        for await (const event of follow(turn.id)) {
          heard.take(event);
          // The answer goes on only once its first sound was heard.
          if (event.__typename === "AudioDelta") pause.release();
          if (event.__typename !== "TurnEnded") expect(event.turn).toMatchObject({ id: turn.id, attempt: 1 });
          else expect(event.turn.status).toBe("COMPLETED");
        }
        expect(heard.types[0]).toBe("TurnStarted");
        expect(heard.types.at(-1)).toBe("TurnEnded");
        expect(heard.types.filter((type) => /Turn/.test(type))).toHaveLength(2);
        const kept = await turnById(parley, turn.id);
        expect(heard.answer).toEqual(await keptAnswer(kept));
        expect(heard.sound.byteLength).toBeGreaterThan(20_000);
      },
    );

    it("tell a written answer as text", async () => {
      const parley = shared();
      const conversationId = await startedConversation(parley);
      await askByText(parley, conversationId, "Say 'one'.");
      const turn = await askByText(parley, conversationId, "Say 'two three'.", {
        waitMs: 0,
        reply: { modalities: ["TEXT"] },
      });
      const heard = await hear(turn.id);
      expect(heard.answer).toEqual({ text: "two three", transcript: null, sound: "" });
      expect(new Set(heard.types)).toEqual(new Set(["TurnStarted", "TextDelta", "TurnEnded"]));
    });

    it("tell the words of an answer that comes as a file, and leave its sound to the file", async () => {
      const parley = shared();
      const conversationId = await startedConversation(parley);
      const turn = await askByText(parley, conversationId, "Say 'two'.", {
        waitMs: 0,
        reply: { format: "MP3" },
      });
      const heard = await hear(turn.id);
      expect(heard.answer).toEqual({ text: null, transcript: "two", sound: "" });
      expect((await turnById(parley, turn.id))?.assistantMessage?.audio?.format).toBe("MP3");
    });

    it("give who is cut off after each single event, and comes back, the same as who stays", async () => {
      const parley = shared();
      const { pause, turn } = await heldTurn(parley);
      const stayed = hear(turn.id);
      const cut = new Heard();
      const places: { cursor: string; transcript: string; byteLength: number }[] = [];
      while (!cut.ended) {
        for await (const event of follow(turn.id, cut.cursor)) {
          cut.take(event);
          const { transcript, sound } = cut;
          places.push({ cursor: event.cursor, transcript, byteLength: sound.byteLength });
          if (cut.sound.byteLength > 0) pause.release();
          break;
        }
      }
      const kept = await keptAnswer(await endOfTurn(parley, turn.id));
      expect(cut.answer).toEqual(kept);
      expect((await stayed).answer).toEqual(kept);
      expect(places.length).toBeGreaterThan(4);

      // And again from each of these places, now that the turn is long over.
      for (const { cursor, transcript, byteLength } of places) {
        const rest = await restAfter(follow(turn.id, cursor));
        expect(transcript + rest.transcript).toBe(kept.transcript);
        expect(rest.sound).toEqual(Buffer.from(kept.sound, "base64").subarray(byteLength));
      }
    });

    it("go on where a query has read, words and sound alike", async () => {
      const parley = shared();
      const { pause, turn } = await heldTurn(parley);
      // The first sound is in the log as soon as somebody has heard it.
      for await (const event of follow(turn.id)) if (event.__typename === "AudioDelta") break;
      const running = await turnById(parley, turn.id);
      const clip = running?.assistantMessage?.audio;
      expect(running?.status).toBe("RUNNING");
      expect(clip).toMatchObject({ sha256: null, durationMs: null, providerAudioId: null });
      const known = running?.assistantMessage?.transcript ?? "";
      const knownSound = (clip?.byteLength ?? 0) - 44;
      expect(knownSound).toBeGreaterThan(0);
      pause.release();
      const rest = await restAfter(follow(turn.id, running?.eventCursor ?? ""));
      const kept = await keptAnswer(await endOfTurn(parley, turn.id));
      expect(known + rest.transcript).toBe(kept.transcript);
      expect(rest.firstByteOffset).toBe(knownSound);
      expect(rest.sound).toEqual(Buffer.from(kept.sound, "base64").subarray(knownSound));
    });

    it("end at once for the cursor of a turn's end", async () => {
      const parley = shared();
      const conversationId = await startedConversation(parley);
      const turn = await askByText(parley, conversationId, "Say 'one'.");
      expect((await hear(turn.id, turn.eventCursor)).types).toEqual([]);
      const heard = await hear(turn.id);
      expect((await hear(turn.id, heard.cursor)).types).toEqual([]);
    });

    it("begin anew with a retry, whatever was heard before", async () => {
      const parley = shared();
      const { pause, turn } = await heldTurn(parley);
      const heard = new Heard();
      for await (const event of follow(turn.id)) {
        heard.take(event);
        if (event.__typename === "AudioDelta") break;
      }
      await parley.ask(cancelTurn, { input: { turnId: turn.id } });
      pause.release();
      const cancelled = await turnById(parley, turn.id);
      expect(await keptAnswer(cancelled)).toEqual((await hear(turn.id)).answer);
      const retried = await parley.ask<{ retryTurn: { turn: Turn } }>(retryTurn, {
        input: { turnId: turn.id },
      });
      await heard.takeAll(follow(turn.id, heard.cursor));
      expect(heard.types.filter((type) => type === "TurnStarted")).toHaveLength(2);
      expect(heard.answer).toEqual(await keptAnswer(retried.retryTurn.turn));
      // The end of the first attempt is a place, too.
      const later = await hear(turn.id, cancelled?.eventCursor ?? "");
      expect(later.types[0]).toBe("TurnStarted");
      expect(later.answer).toEqual(heard.answer);
    });

    it("keep nothing of an answer that was filtered, for who comes later", async () => {
      const parley = shared();
      const conversationId = await startedConversation(parley);
      parley.standIn.failNext({ name: "content-filter-answer" });
      const turn = await askByText(parley, conversationId, "Say 'one two three four'.");
      expect(turn.error?.code).toBe("CONTENT_FILTERED");
      expect((await hear(turn.id)).types).toEqual(["TurnStarted", "TurnEnded"]);
    });

    it("end with NOT_FOUND where the conversation is deleted", async () => {
      const parley = shared();
      const { conversationId, pause, turn } = await heldTurn(parley);
      const heard = new Heard();
      const failure = heard.takeAll(follow(turn.id)).catch((error: unknown) => error);
      for await (const event of follow(turn.id)) if (event.__typename === "AudioDelta") break;
      await parley.ask(deleteConversation, { id: conversationId });
      pause.release();
      expect(((await failure) as TurnEventsError).codes).toEqual(["NOT_FOUND"]);
      expect(heard.ended).toBe(false);
    });

    it("are refused before the first event for a turn that is not there, and for a cursor that is none", async () => {
      const parley = shared();
      const conversationId = await startedConversation(parley);
      const [one, other] = [
        await askByText(parley, conversationId, "Say 'one'."),
        await askByText(parley, conversationId, "Say 'two'."),
      ];
      const codes = async (turnId: string, after: string | null) => {
        const results = subscribe(transport, parley.url, turnEventsDocument, { turnId, after });
        const first = await results.next();
        await results.return();
        return first.value?.errors?.map(({ extensions }) => extensions.code);
      };
      expect(await codes("turn_01ARZ3NDEKTSV4RRFFQ69G5FAV", null)).toEqual(["NOT_FOUND"]);
      expect(await codes("nonsense", null)).toEqual(["NOT_FOUND"]);
      const later = Buffer.from(JSON.stringify([one.id, 7, 1, 0, 0, 0])).toString("base64url");
      for (const after of ["", "nonsense", other.eventCursor, later, "x".repeat(10_000)])
        expect([after, await codes(one.id, after)]).toEqual([after, ["BAD_USER_INPUT"]]);
    });
  });

  it("are heard by many at once, each with the same words and sound, of which one reads nothing", async () => {
    const parley = shared();
    const { pause, turn } = await heldTurn(parley);
    const idle = turnEvents("multipart", parley.url, turn.id);
    await idle.next();
    const all = Array.from({ length: 20 }, (_, index) =>
      new Heard().takeAll(turnEvents(index % 2 === 0 ? "websocket" : "multipart", parley.url, turn.id)),
    );
    pause.release();
    const heard = await Promise.all(all);
    const kept = await keptAnswer(await endOfTurn(parley, turn.id));
    for (const { answer } of heard) expect(answer).toEqual(kept);
    await idle.return();
  });
});

/** What comes after a place; sound is not taken for what was heard before. */
async function restAfter(
  events: AsyncIterable<{ __typename: string; delta?: string; byteOffset?: number; base64?: string }>,
) {
  const rest = { text: "", transcript: "", sound: Buffer.alloc(0), firstByteOffset: null as number | null };
  for await (const { __typename, delta, byteOffset, base64 } of events) {
    if (__typename === "TextDelta") rest.text += delta ?? "";
    if (__typename === "TranscriptDelta") rest.transcript += delta ?? "";
    if (__typename !== "AudioDelta") continue;
    rest.firstByteOffset ??= byteOffset ?? null;
    rest.sound = Buffer.concat([rest.sound, Buffer.from(base64 ?? "", "base64")]);
  }
  return rest;
}
