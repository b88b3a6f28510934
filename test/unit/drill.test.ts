import { describe, expect, it } from "@jest/globals";
import { requestsOfCalls } from "../../drill/check-model.js";
import { planQuestion, replyFormats } from "../../drill/client-plan.js";
import { Hearing } from "../../drill/hearing.js";
import { killClasses, planKills } from "../../drill/kill-plan.js";
import { boundaryOf, readParts } from "../../drill/multipart-mixed.js";
import type { HeardEvent } from "../../drill/operations.js";

describe("the plan of a drill", () => {
  it("is the same for the same seed, and another for another", () => {
    expect(planKills(7, 100)).toEqual(planKills(7, 100));
    expect(planKills(7, 100)).not.toEqual(planKills(8, 100));
    expect(planQuestion(7, 1, 5)).toEqual(planQuestion(7, 1, 5));
    expect(planQuestion(7, 1, 5)).not.toEqual(planQuestion(7, 2, 5));
  });

  it("has every class of moments equally often, and begins like a longer one", () => {
    const kills = planKills(3, 10 * killClasses.length);
    for (const name of killClasses) expect(kills.filter((kill) => kill.class === name)).toHaveLength(10);
    expect(planKills(3, 500).slice(0, kills.length)).toEqual(kills);
  });
});

describe("what the model was asked", () => {
  const call = (startedAt: number, httpAttempts: number) => ({ startedAt, httpAttempts });
  const request = (receivedAt: number) => ({ receivedAt, server: "server-0", end: "answered" });

  it.each([
    ["one request of one call", [request(5)], [call(1, 1)], [1], 0],
    ["a call of a server that lost its turn before it asked", [request(5)], [call(1, 1), call(3, 0)], [1], 0],
    ["two calls of two attempts", [request(2), request(9)], [call(1, 1), call(8, 1)], [1, 1], 0],
    ["a second request of one call", [request(2), request(3)], [call(1, 1)], [2], 0],
    ["a call that the model knows nothing of", [], [call(1, 1)], [0], 0],
    ["a request that no call tells of", [request(2)], [call(1, 0)], [], 1],
  ])("is told call by call: %s", (_name, asked, rows, counts, untold) => {
    const found = requestsOfCalls(asked, rows);
    expect(found.counts).toEqual(counts);
    expect(found.untold).toHaveLength(untold);
  });
});

describe("the questions of a drill", () => {
  it("ask for replies in every format, half of them in WAV", () => {
    const asked = Array.from({ length: 1_000 }, (_, number) => planQuestion(5, 1, number).format);
    expect([...new Set(asked)].sort()).toEqual([...replyFormats].sort());
    expect(asked.filter((format) => format === "WAV").length).toBeGreaterThan(400);
  });
});

describe("what a listener of the drill hears", () => {
  const event = (cursor: string, typename: string, more: Partial<HeardEvent> = {}): HeardEvent => ({
    __typename: typename,
    cursor,
    turn: { id: "turn_1", attempt: 1, status: "RUNNING" },
    ...more,
  });
  const sound = (text: string) => Buffer.from(text).toString("base64");

  it("is put together over connections, and begins anew with an attempt", () => {
    const hearing = new Hearing("turn_1");
    hearing.hear(event("1", "TurnStarted"));
    hearing.hear(event("2", "TranscriptDelta", { delta: "One " }));
    hearing.hear(event("3", "TurnStarted"));
    hearing.hear(event("4", "TranscriptDelta", { delta: "Two" }));
    hearing.hear(event("5", "AudioDelta", { byteOffset: 0, base64: sound("ab") }));
    hearing.hear(event("6", "AudioDelta", { byteOffset: 2, base64: sound("cd") }));
    hearing.hear(event("7", "TurnEnded"));
    expect([hearing.words, hearing.sound.toString(), hearing.ended]).toEqual(["Two", "abcd", true]);
    expect(hearing.faults).toEqual([]);
  });

  it("is at fault where an event comes twice or sound is missing", () => {
    const hearing = new Hearing("turn_1");
    hearing.hear(event("1", "TurnStarted"));
    hearing.hear(event("1", "TurnStarted"));
    hearing.hear(event("2", "AudioDelta", { byteOffset: 2, base64: sound("cd") }));
    expect(hearing.faults).toHaveLength(2);
  });
});

describe("a multipart/mixed body", () => {
  const body =
    '\r\n---\r\ncontent-type: application/json\r\n\r\n{"payload":{"data":"--- not a boundary"}}\r\n---\r\n' +
    "content-type: application/json\r\n\r\n{}\r\n-----\r\n";
  // eslint-disable-next-line @typescript-eslint/require-await
  async function* inPieces(text: string, size: number) {
    const bytes = Buffer.from(text);
    for (let offset = 0; offset < bytes.byteLength; offset += size)
      yield bytes.subarray(offset, offset + size);
  }
  const read = async (text: string, size: number) => {
    const parts: unknown[] = [];
    for await (const part of readParts(inPieces(text, size), "-")) parts.push(part);
    return parts;
  };

  it("gives its parts, in whatever pieces it comes", async () => {
    const whole = [{ payload: { data: "--- not a boundary" } }, {}];
    for (const size of [1, 2, 3, 7, 64, 1_000]) expect(await read(body, size)).toEqual(whole);
    expect(boundaryOf('multipart/mixed;boundary="-";subscriptionSpec=1.0')).toBe("-");
    expect(boundaryOf("application/json")).toBeNull();
  });

  it("that is cut short throws", async () => {
    await expect(read(body.slice(0, -6), 1_000)).rejects.toThrow("cut short");
  });
});
