import { describe, expect, it } from "@jest/globals";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Inputs } from "../../fuzz/corpus.js";
import { Failures, targetOfFile } from "../../fuzz/failures.js";
import { judgeRange, rangeHeaders } from "../../fuzz/feed-range.js";
import { judgeFrames } from "../../fuzz/feed-websocket.js";
import { encodeFrame, readFrames } from "../../fuzz/frames.js";
import { MalformedAnswer, readAnswers } from "../../fuzz/http-answers.js";
import { judgeAnswer, methodOfWholeRequest } from "../../fuzz/judge.js";
import { targetNames } from "../../fuzz/options.js";
import { judgeUse } from "../../fuzz/use.js";

const nothing = Buffer.alloc(0);
const json = new Map([["content-type", "application/json; charset=utf-8"]]);
const fault = '{"errors":[{"extensions":{"code":"INTERNAL_SERVER_ERROR"}}]}';

describe("The inputs of a fuzz run", () => {
  it.each(targetNames)("are the same for the same seed, and others for another (%s)", (target) => {
    const made = (seed: number) => {
      const inputs = new Inputs(target, seed);
      return Array.from({ length: 50 }, (_, index) => inputs.at(inputs.corpusSize + index));
    };
    expect(made(5)).toEqual(made(5));
    expect(made(5)).not.toEqual(made(6));
  });
});

describe("An answer to a damaged request", () => {
  it.each<[string, number, string, RegExp]>([
    ["an unexplained 500", 500, "{}", /an answer of 500/],
    ["a fault of the server in an answer of 200", 200, fault, /INTERNAL_SERVER_ERROR/],
    ["JSON that is none", 400, "{", /no JSON/],
  ])("is found to be wrong: %s", (_name, status, body, found) => {
    expect(judgeAnswer({ status, headers: json, body: Buffer.from(body) })).toMatch(found);
  });

  it.each([[200], [400], [413], [503]])("is found to be right with a status of %i", (status) => {
    expect(judgeAnswer({ status, headers: json, body: Buffer.from("{}") })).toBeNull();
  });

  it.each([
    ["no HTTP", "SSH-2.0-OpenSSH\r\n\r\n"],
    ["a header without a name", "HTTP/1.1 200 OK\r\n: x\r\n\r\n"],
    ["two lengths", "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n"],
    ["a chunk of another size", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nabc\r\n"],
  ])("is found to be malformed: %s", (_name, text) => {
    expect(() => readAnswers(Buffer.from(text), [], true)).toThrow(MalformedAnswer);
  });

  it("is read whole only when all of it has come", () => {
    const text =
      "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabcHTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nab";
    const { answers, open } = readAnswers(Buffer.from(text), ["GET", "GET"], false);
    expect(answers.map(({ body }) => Buffer.from(body).toString())).toEqual(["abc"]);
    expect(open).toMatchObject({ status: 200 });
  });

  it.each<[string, string | null, string[], number | null]>([
    ["without a body", "GET", ["GET / HTTP/1.1", "host: x"], 0],
    ["with its whole body", "POST", ["POST / HTTP/1.1", "content-length: 3"], 3],
    ["without all of its body", null, ["POST / HTTP/1.1", "content-length: 4"], 3],
    ["without the end of its head", null, ["GET / HTTP/1.1", "host: x"], null],
    ["with a damaged line", null, ["G\u0000T / HTTP/1.1"], 0],
    ["with chunks", null, ["GET / HTTP/1.1", "transfer-encoding: chunked"], 0],
  ])("must come to a request %s: %s", (_name, method, lines, bodyByteLength) => {
    expect(methodOfWholeRequest(lines, bodyByteLength)).toBe(method);
  });
});

describe("A range of a clip", () => {
  const clip = { bytes: Buffer.from("0123456789"), etag: '"e"' };
  const judged = (asked: string, status: number, contentRange: string, body: string) =>
    judgeRange(
      rangeHeaders(Buffer.from(asked)),
      { status, headers: new Map([["content-range", contentRange]]), body: Buffer.from(body) },
      clip,
    );

  it.each([
    ["range: bytes=2-4", 206, "bytes 2-4/10", "234"],
    ["range: bytes=-3", 206, "bytes 7-9/10", "789"],
    ["range: bytes=8-99999999999999999999", 206, "bytes 8-9/10", "89"],
    ["range: bytes=99-", 416, "bytes */10", ""],
    ["range: x", 200, "", "0123456789"],
    ["if-none-match: *", 304, "", ""],
  ])("%s may be answered with %i", (...answer) => {
    expect(judged(...answer)).toBeNull();
  });

  it.each([
    ["range: bytes=2-4", 206, "bytes 2-4/10", "235"],
    ["range: bytes=2-4", 206, "bytes 2-5/10", "2345"],
    ["range: bytes=2-4", 206, "bytes 2-4/11", "234"],
    ['range: bytes=2-4\r\nif-range: "other"', 206, "bytes 2-4/10", "234"],
    ["range: bytes=2-4", 200, "", "234"],
    ["range: bytes=2-4", 304, "", ""],
    ["range: bytes=2-4", 400, "", ""],
  ])("%s must not be answered with %i %s %s", (...answer) => {
    expect(judged(...answer)).not.toBeNull();
  });
});

describe("What a WebSocket's server sends", () => {
  const frame = (first: number, payload: string | Buffer) =>
    Buffer.concat([Buffer.of(first, payload.length), Buffer.from(payload)]);

  it.each<[string, Buffer, RegExp]>([
    ["a fault", frame(0x81, fault), /INTERNAL_SERVER_ERROR/],
    ["a message that is no JSON", frame(0x81, "{"), /no JSON/],
    ["the close code of a fault", frame(0x88, Buffer.of(0x11, 0x94)), /closed with 4500/],
    ["a masked frame", Buffer.from(encodeFrame({ first: 0x81, payload: nothing })), /masked/],
    ["an opcode that there is not", frame(0x83, ""), /begins with 131/],
  ])("is found to be wrong: %s", (_name, received, found) => {
    expect(judgeFrames(received, nothing)).toMatch(found);
  });

  it("is found to be right where it says what is documented, or the client's own code", () => {
    const own = Buffer.of(0x03, 0xf5);
    const received = Buffer.concat([frame(0x81, '{"type":"pong"}'), frame(0x88, Buffer.of(0x11, 0x30))]);
    expect(judgeFrames(received, nothing)).toBeNull();
    expect(judgeFrames(frame(0x88, own), encodeFrame({ first: 0x88, payload: own }))).toBeNull();
  });

  it.each([0, 125, 126, 65_535, 65_536])("is read frame by frame, with %i bytes", (length) => {
    const encoded = encodeFrame({ first: 0x82, payload: Buffer.alloc(length, 7) });
    const { frames, rest } = readFrames(Buffer.concat([encoded, encoded, Buffer.of(0x81)]));
    expect(frames.map(({ payload }) => payload.byteLength)).toEqual([length, length]);
    expect([...rest]).toEqual([0x81]);
  });
});

describe("What a process takes", () => {
  const use = { heapBytes: 60e6, rssBytes: 250e6, openFiles: 30, fed: 1_000 };

  it("may grow a little", () => {
    expect(judgeUse(use, { ...use, heapBytes: 70e6, openFiles: 35, fed: 9_000 })).toEqual([]);
  });

  it.each([
    ["heapBytes", 200e6],
    ["rssBytes", 600e6],
    ["openFiles", 100],
  ])("must not grow without bounds: %s", (name, value) => {
    expect(judgeUse(use, { ...use, [name]: value, fed: 9_000 })).toEqual([expect.stringContaining(name)]);
  });
});

describe("A failure", () => {
  it("is kept with its bytes and where they are from, each kind once", async () => {
    const folder = await mkdtemp(join(tmpdir(), "parley-fuzz-test-"));
    try {
      const failures = new Failures(folder);
      for (const index of [7, 8]) {
        failures.add(`turn_${index} failed`, { target: "http", seed: 3, index, input: Buffer.from("GET") });
      }
      const [failure] = failures.all;
      expect(failures.all).toHaveLength(1);
      expect(failure).toMatchObject({
        count: 2,
        files: [join(folder, "http-3-7.bin"), join(folder, "http-3-8.bin")],
      });
      expect(await readFile(join(folder, "http-3-7.bin"), "utf8")).toBe("GET");
      expect(targetOfFile(join(folder, "http-3-7.bin"), folder)).toBe("http");
      expect(targetOfFile("fuzz/corpus/audio/mp3", "fuzz/corpus/audio")).toBe("audio");
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
