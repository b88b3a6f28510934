import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import {
  decodePosition,
  encodePosition,
  endOf,
  isOver,
  maxPieceByteLength,
  nextStep,
  startOf,
} from "../../src/services/live/position.js";
import type { AnswerState, Position, Step } from "../../src/services/live/position.js";

const state = (changes: Partial<AnswerState> = {}): AnswerState => ({
  attempt: 1,
  status: "RUNNING",
  text: "",
  transcript: "",
  audioByteLength: 0,
  ...changes,
});

/** Everything that is told from a position until there is nothing more. */
function told(from: Position, now: AnswerState): { steps: Step[]; position: Position } {
  const steps: Step[] = [];
  let position = from;
  for (let step = nextStep(position, now); step !== null; step = nextStep(position, now)) {
    steps.push(step);
    position = step.position;
  }
  return { steps, position };
}

const inShort = (steps: readonly Step[]) =>
  steps.map((step) => {
    if ("delta" in step) return `${step.type} ${step.delta}`;
    return "byteOffset" in step ? `${step.type} ${step.byteOffset}+${step.byteLength}` : step.type;
  });

describe("what a listener is told", () => {
  const spoken = state({ transcript: "hello you", audioByteLength: 100_000 });
  it.each<[string, Position, AnswerState, string[]]>([
    ["nothing while the turn waits", startOf(1), state({ status: "QUEUED" }), []],
    ["that it has started", startOf(1), state(), ["TurnStarted"]],
    [
      "words, then sound in pieces",
      startOf(1),
      spoken,
      ["TurnStarted", "TranscriptDelta hello you", "AudioDelta 0+65536", "AudioDelta 65536+34464"],
    ],
    [
      "only what is missing",
      { ...endOf(spoken), transcript: 6, audio: 99_998 },
      spoken,
      ["TranscriptDelta you", "AudioDelta 99998+2"],
    ],
    ["the end", endOf(spoken), { ...spoken, status: "COMPLETED" }, ["TurnEnded"]],
    ["nothing after the end", endOf(state({ status: "FAILED" })), state({ status: "FAILED" }), []],
    [
      "a later attempt from its start",
      endOf({ ...spoken, status: "CANCELLED" }),
      state({ attempt: 2, text: "again", status: "COMPLETED" }),
      ["TurnStarted", "TextDelta again", "TurnEnded"],
    ],
    ["nothing of a retry that waits", endOf(spoken), state({ attempt: 2, status: "QUEUED" }), []],
    [
      "a turn that ended before it began",
      startOf(1),
      state({ status: "CANCELLED" }),
      ["TurnStarted", "TurnEnded"],
    ],
    [
      "nothing for a place beyond what there is",
      { ...endOf(spoken), transcript: 99, audio: 200_000 },
      spoken,
      [],
    ],
  ])("is %s", (_name, from, now, expected) => {
    expect(inShort(told(from, now).steps)).toEqual(expected);
  });

  it("is over after the end of the last attempt, and not while a retry waits to be run", () => {
    const ended = endOf(state({ status: "CANCELLED" }));
    expect(isOver(ended, state({ status: "CANCELLED" }))).toBe(true);
    expect(isOver(ended, state({ status: "QUEUED", attempt: 2 }))).toBe(false);
    expect(isOver(endOf(state()), state())).toBe(false);
  });

  it("adds up to the whole answer, whenever and however often they look or are cut off", () => {
    const pieces = fc.array(
      fc.record({
        transcript: fc.string({ unit: "grapheme", maxLength: 5 }),
        samples: fc.nat({ max: 100_000 }),
        look: fc.boolean(),
        cut: fc.boolean(),
      }),
      { maxLength: 20 },
    );
    fc.assert(
      fc.property(pieces, (growth) => {
        let now = state();
        let position = startOf(1);
        const heard: Step[] = [];
        for (const { transcript, samples, look, cut } of growth) {
          now = {
            ...now,
            transcript: now.transcript + transcript,
            audioByteLength: now.audioByteLength + 2 * samples,
          };
          if (look) {
            const next = told(position, now);
            // Who is cut off has heard some of it only, and comes back with the cursor of the last.
            const steps = cut ? next.steps.slice(0, 1) : next.steps;
            heard.push(...steps);
            position = decodePosition("turn_1", encodePosition("turn_1", steps.at(-1)?.position ?? position));
          }
        }
        heard.push(...told(position, { ...now, status: "COMPLETED" }).steps);
        expect(heard.map((step) => ("delta" in step ? step.delta : "")).join("")).toBe(now.transcript);
        let byteOffset = 0;
        for (const step of heard) {
          if (!("byteOffset" in step)) continue;
          expect(step.byteOffset).toBe(byteOffset);
          expect(step.byteLength).toBeLessThanOrEqual(maxPieceByteLength);
          byteOffset += step.byteLength;
        }
        expect(byteOffset).toBe(now.audioByteLength);
        expect(heard.filter(({ type }) => type === "TurnStarted")).toHaveLength(1);
        expect(heard.filter(({ type }) => type === "TurnEnded")).toHaveLength(1);
      }),
    );
  });
});

describe("a cursor", () => {
  it("gives back its place, and is refused for another turn", () => {
    const position = { attempt: 3, phase: "started", text: 1, transcript: 2, audio: 48 } as const;
    const cursor = encodePosition("turn_1", position);
    expect(decodePosition("turn_1", cursor)).toEqual(position);
    expect(() => decodePosition("turn_2", cursor)).toThrow(/after must be a cursor/);
  });

  it("that somebody made up is refused or is a place like any other, and never anything else", () => {
    const anything = fc.oneof(
      fc.string(),
      fc.base64String(),
      fc.json().map((json) => Buffer.from(json).toString("base64url")),
      fc
        .tuple(fc.constant("turn_1"), fc.anything(), fc.anything(), fc.integer(), fc.integer(), fc.integer())
        .map((parts) => Buffer.from(JSON.stringify(parts)).toString("base64url")),
    );
    fc.assert(
      fc.property(anything, (cursor) => {
        try {
          const { attempt, text, transcript, audio } = decodePosition("turn_1", cursor);
          expect(
            [attempt, text, transcript, audio].every((count) => Number.isSafeInteger(count) && count >= 0),
          ).toBe(true);
        } catch (error) {
          expect(error).toMatchObject({ code: "BAD_USER_INPUT" });
        }
      }),
    );
  });
});
