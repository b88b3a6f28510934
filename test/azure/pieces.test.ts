import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { decodeBase64, noRest } from "../../src/azure/base64.js";
import { parseChunk } from "../../src/azure/chunk-schema.js";
import { emptyAnswer, readChunk } from "../../src/azure/chunks.js";
import { UnreadableAnswer } from "../../src/azure/interruptions.js";
import { SseReader } from "../../src/azure/sse.js";
import { delta, pcm, spokenChunks } from "./answers.js";

/** Cuts at the given places, in any order and number. */
function cutAt<T extends { length: number; slice(start: number, end?: number): T }>(
  whole: T,
  places: number[],
): T[] {
  const ends = [...places.map((place) => place % (whole.length + 1)), whole.length].sort((a, b) => a - b);
  return ends.map((end, index) => whole.slice(ends[index - 1] ?? 0, end));
}

function readStream(pieces: Uint8Array[]): { words: string; sound: Buffer } {
  const reader = new SseReader();
  let state = emptyAnswer;
  const sound: Uint8Array[] = [];
  let words = "";
  for (const data of pieces.flatMap((piece) => reader.push(piece)).filter((text) => text !== "[DONE]")) {
    const read = readChunk(state, parseChunk(data), 2);
    state = read.state;
    for (const event of read.events) {
      if (event.type === "audio") sound.push(event.bytes);
      else words += event.delta;
    }
  }
  return { words, sound: Buffer.concat(sound) };
}

const places = fc.array(fc.nat(), { maxLength: 40 });

describe("a stream in pieces", () => {
  it("gives the same words and sound however TCP and the provider cut it", () => {
    fc.assert(
      fc.property(places, places, fc.constantFrom("\n", "\r\n", "\r"), (tcpPlaces, base64Places, newline) => {
        const base64 = pcm.toString("base64");
        const spoken = cutAt(base64, base64Places).map((data) => delta({ audio: { data } }));
        const chunks = [
          delta({ audio: { transcript: "Grüße, " } }),
          ...spoken,
          delta({ audio: { transcript: "\u{1F600}!" } }),
        ];
        const text = [...chunks.map((chunk) => JSON.stringify(chunk)), "[DONE]"]
          .map((data) => `data: ${data}${newline}${newline}`)
          .join("");
        const { words, sound } = readStream(cutAt(Buffer.from(text), tcpPlaces));
        expect(words).toBe("Grüße, \u{1F600}!");
        expect(sound.equals(pcm)).toBe(true);
      }),
    );
  });

  it("gives the same sound where each piece of the bytes is base64 of its own", () => {
    fc.assert(
      fc.property(places, (bytePlaces) => {
        const pieces = cutAt(pcm, bytePlaces).map((piece) =>
          delta({ audio: { data: Buffer.from(piece).toString("base64") } }),
        );
        const text = pieces.map((chunk) => `data: ${JSON.stringify(chunk)}\n\n`).join("");
        expect(readStream([Buffer.from(text)]).sound.equals(pcm)).toBe(true);
      }),
    );
  });

  it("gives the recorded order's sound byte by byte", () => {
    const text = spokenChunks()
      .map((chunk) => `data: ${JSON.stringify(chunk)}\n\n`)
      .join("");
    const { words, sound } = readStream([...Buffer.from(text)].map((byte) => Uint8Array.of(byte)));
    expect(words).toBe("Hello there.");
    expect(sound.equals(pcm)).toBe(true);
  });
});

describe("server-sent events", () => {
  it.each([
    ["comments and other fields", ": hello\nevent: x\nid: 5\ndata: 1\n\n", ["1"]],
    ["an event of several lines", "data: 1\ndata:2\n\n", ["1\n2"]],
    ["blank lines without data", "\n\n\ndata: 1\n\n\n\n", ["1"]],
    ["an event that is not ended", "data: 1\n\ndata: 2\n", ["1"]],
    ["a byte order mark", "\uFEFFdata: 1\n\n", ["1"]],
  ])("are read where there are %s", (_, text, events) => {
    expect(new SseReader().push(Buffer.from(text))).toEqual(events);
  });

  it("count a line's end once where it is cut in two", () => {
    const reader = new SseReader();
    const events = ["data: 1\r", "\ndata: 2\r", "\n\r", "\n"].flatMap((text) =>
      reader.push(Buffer.from(text)),
    );
    expect(events).toEqual(["1\n2"]);
  });

  it.each([
    ["line", "data: " + "x".repeat(60)],
    ["event", "data: 1234567890\n".repeat(6)],
  ])("are given up where a %s is over the limit", (_, text) => {
    const reader = new SseReader(50);
    expect(() => [...Buffer.from(text)].map((byte) => reader.push(Uint8Array.of(byte)))).toThrow(
      UnreadableAnswer,
    );
  });
});

describe("base64 in pieces", () => {
  it("may be padded in the middle, where the provider began anew", () => {
    const { bytes, rest } = decodeBase64(noRest, "QQ==QkM=RA==RUZH", 1);
    expect(Buffer.from(bytes).toString()).toBe("ABCDEFG");
    expect(rest.characters).toBe("");
  });

  it.each(["@@@@", "QQ=A", "=AAA", "A===", "====", "QQ\n=", "data:audio/wav;base64,AAAA"])(
    "is refused where it is %j",
    (text) => {
      expect(() => decodeBase64(noRest, text, 1)).toThrow(UnreadableAnswer);
    },
  );

  it("keeps no view of the pieces that it was given", () => {
    const { rest } = decodeBase64(noRest, Buffer.alloc(3_001).toString("base64"), 2);
    expect(rest.bytes.buffer.byteLength).toBe(1);
  });
});
