import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { parseRange, selectBytes } from "../../src/http/range.js";
import type { ConditionalHeaders, RangeRequest } from "../../src/http/range.js";

const whole: RangeRequest = { kind: "whole" };
const unsatisfiable: RangeRequest = { kind: "unsatisfiable" };
const part = (start: number, end: number): RangeRequest => ({ kind: "part", span: { start, end } });

describe("A Range header", () => {
  it.each<[string | undefined, number, RangeRequest]>([
    [undefined, 100, whole],
    ["", 100, whole],
    // From a byte to a byte, both inclusive.
    ["bytes=0-0", 100, part(0, 0)],
    ["bytes=0-99", 100, part(0, 99)],
    ["bytes=99-99", 100, part(99, 99)],
    ["bytes=10-500", 100, part(10, 99)],
    ["bytes=10-99999999999999999999999999", 100, part(10, 99)],
    ["bytes=007-009", 100, part(7, 9)],
    ["Bytes=1-2", 100, part(1, 2)],
    ["bytes= 1-2 ", 100, part(1, 2)],
    // Open ended.
    ["bytes=0-", 100, part(0, 99)],
    ["bytes=99-", 100, part(99, 99)],
    // The last bytes.
    ["bytes=-1", 100, part(99, 99)],
    ["bytes=-100", 100, part(0, 99)],
    ["bytes=-101", 100, part(0, 99)],
    ["bytes=-99999999999999999999999999", 100, part(0, 99)],
    // Beyond the end.
    ["bytes=100-", 100, unsatisfiable],
    ["bytes=100-200", 100, unsatisfiable],
    ["bytes=99999999999999999999999999-", 100, unsatisfiable],
    ["bytes=-0", 100, unsatisfiable],
    ["bytes=0-", 0, unsatisfiable],
    ["bytes=0-0", 0, unsatisfiable],
    ["bytes=-0", 0, unsatisfiable],
    ["bytes=-5", 0, whole],
    // Malformed, several, another unit.
    ["bytes", 100, whole],
    ["bytes=", 100, whole],
    ["bytes=-", 100, whole],
    ["bytes=--1", 100, whole],
    ["bytes=5-4", 100, whole],
    ["bytes=500-400", 100, whole],
    ["bytes=1.5-3", 100, whole],
    ["bytes=1e1-3", 100, whole],
    ["bytes=+1-3", 100, whole],
    ["bytes=0x1-0x3", 100, whole],
    ["bytes=a-b", 100, whole],
    ["bytes=1 -3", 100, whole],
    ["bytes =1-3", 100, whole],
    ["bytes=0-1,5-9", 100, whole],
    ["bytes=0-1, 5-9", 100, whole],
    ["bytes=0-1,", 100, whole],
    ["items=0-1", 100, whole],
    ["xbytes=0-1", 100, whole],
    ["bytes=0-1\n", 100, whole],
  ])("%j over %d bytes is read as %j", (header, byteLength, expected) => {
    expect(parseRange(header, byteLength)).toEqual(expected);
  });

  it("never selects a byte that is not there, whatever it says", () => {
    const header = fc.oneof(
      fc.string(),
      fc
        .string({ unit: fc.constantFrom(...Array.from("0123456789-, =")) })
        .map((ranges) => `bytes=${ranges}`),
    );
    fc.assert(
      fc.property(header, fc.nat(), (text, byteLength) => {
        const requested = parseRange(text, byteLength);
        if (requested.kind !== "part") return;
        const { start, end } = requested.span;
        expect(Number.isSafeInteger(start) && Number.isSafeInteger(end)).toBe(true);
        expect(0 <= start && start <= end && end < byteLength).toBe(true);
      }),
    );
  });

  it("selects what slicing the bytes would", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 500 }), fc.nat(600), fc.nat(600), (byteLength, first, length) => {
        const bytes = Array.from({ length: byteLength }, (_, index) => index);
        const sliced = bytes.slice(first, first + length + 1);
        const requested = parseRange(`bytes=${first}-${first + length}`, byteLength);
        const selected =
          requested.kind === "part" ? bytes.slice(requested.span.start, requested.span.end + 1) : [];
        expect(selected).toEqual(sliced);
        expect(requested.kind === "unsatisfiable").toBe(first >= byteLength);
      }),
    );
  });
});

describe("The conditions of a request", () => {
  const etag = '"abc"';
  const lastModified = new Date("2026-11-22T10:20:30.400Z");
  const inPart = { status: 206, span: { start: 0, end: 9 } };
  const range = "bytes=0-9";

  it.each<[string, ConditionalHeaders, object]>([
    ["no header", {}, { status: 200 }],
    ["a range", { range }, inPart],
    ["a range beyond the end", { range: "bytes=100-" }, { status: 416 }],
    ["the ETag in If-Range", { range, "if-range": etag }, inPart],
    ["another ETag in If-Range", { range, "if-range": '"abd"' }, { status: 200 }],
    ["a weak ETag in If-Range", { range, "if-range": 'W/"abc"' }, { status: 200 }],
    ["a date in If-Range", { range, "if-range": "Sun, 22 Nov 2026 10:20:30 GMT" }, { status: 200 }],
    [
      "a stale If-Range before a range beyond the end",
      { range: "bytes=100-", "if-range": '"x"' },
      { status: 200 },
    ],
    ["If-Range without a range", { "if-range": etag }, { status: 200 }],
    ["the ETag in If-None-Match", { "if-none-match": etag }, { status: 304 }],
    ["the ETag in If-None-Match, compared weakly", { "if-none-match": 'W/"abc"' }, { status: 304 }],
    ["any in If-None-Match", { "if-none-match": "*" }, { status: 304 }],
    ["a list with the ETag", { "if-none-match": '"x", W/"y" ,"abc"' }, { status: 304 }],
    ["a list with a comma inside of a tag", { "if-none-match": '"x,y", "abc"' }, { status: 304 }],
    ["a list without the ETag", { "if-none-match": '"x", "abcd", "ab"' }, { status: 200 }],
    ["a tag without quotes", { "if-none-match": "abc" }, { status: 200 }],
    ["an empty If-None-Match", { "if-none-match": "" }, { status: 200 }],
    ["If-None-Match before the range", { range, "if-none-match": etag }, { status: 304 }],
    [
      "If-None-Match before a range beyond the end",
      { range: "bytes=100-", "if-none-match": etag },
      { status: 304 },
    ],
    ["another If-None-Match with a range", { range, "if-none-match": '"x"' }, inPart],
    ["the date of the clip", { "if-modified-since": "Sun, 22 Nov 2026 10:20:30 GMT" }, { status: 304 }],
    ["an earlier date", { "if-modified-since": "Sun, 22 Nov 2026 10:20:29 GMT" }, { status: 200 }],
    ["no date", { "if-modified-since": "tomorrow" }, { status: 200 }],
    ["a date of another form", { "if-modified-since": "2030-01-01" }, { status: 200 }],
    [
      "the date, and another tag, which is the stronger word",
      { "if-modified-since": "Sun, 22 Nov 2026 10:20:30 GMT", "if-none-match": '"x"' },
      { status: 200 },
    ],
  ])("with %s", (_name, headers, expected) => {
    expect(selectBytes(headers, { byteLength: 100, etag, lastModified })).toEqual(expected);
  });
});
