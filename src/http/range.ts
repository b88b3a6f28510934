import type { ByteSpan } from "../storage/audio-store.js";

/** The headers of RFC 9110 that decide what of a representation a client needs. */
export interface ConditionalHeaders {
  range?: string | undefined;
  "if-range"?: string | undefined;
  "if-none-match"?: string | undefined;
  "if-modified-since"?: string | undefined;
}

export interface Representation {
  byteLength: number;
  /** A strong one, with its quotes. */
  etag: string;
  lastModified: Date;
}

export type Selection = { status: 200 } | { status: 206; span: ByteSpan } | { status: 304 } | { status: 416 };

export type RangeRequest = { kind: "whole" } | { kind: "part"; span: ByteSpan } | { kind: "unsatisfiable" };

/** What a GET is answered with, in the order of precedence of RFC 9110, section 13.2.2. */
export function selectBytes(headers: ConditionalHeaders, representation: Representation): Selection {
  if (isUnchanged(headers, representation)) return { status: 304 };
  // A date in If-Range is never taken for a match: the ETag is the stronger word, and the whole is always right.
  const ifRange = headers["if-range"];
  if (ifRange !== undefined && ifRange !== representation.etag) return { status: 200 };
  const requested = parseRange(headers.range, representation.byteLength);
  if (requested.kind === "unsatisfiable") return { status: 416 };
  return requested.kind === "part" ? { status: 206, span: requested.span } : { status: 200 };
}

/** Whether the client holds these very bytes. */
export function isUnchanged(headers: ConditionalHeaders, { etag, lastModified }: Representation): boolean {
  const tags = headers["if-none-match"];
  if (tags !== undefined) return matchesAnyTag(tags, etag);
  const since = headers["if-modified-since"];
  return since !== undefined && isHttpDate(since) && Date.parse(since) >= wholeSeconds(lastModified);
}

/**
 * One range of bytes: `bytes=0-99`, `bytes=100-`, or the last ones, `bytes=-100`. Several ranges, another unit and what
 * is malformed mean the whole, as RFC 9110 allows.
 */
export function parseRange(header: string | undefined, byteLength: number): RangeRequest {
  const [, first, last] = /^bytes=[ \t]*(\d*)-(\d*)[ \t]*$/i.exec(header ?? "") ?? [];
  if (first === undefined || last === undefined || (first === "" && last === "")) return { kind: "whole" };
  return first === "" ? lastBytes(Number(last), byteLength) : bytesFrom(Number(first), last, byteLength);
}

function lastBytes(count: number, byteLength: number): RangeRequest {
  if (count === 0) return { kind: "unsatisfiable" };
  // No Content-Range can say "all of nothing".
  if (byteLength === 0) return { kind: "whole" };
  return { kind: "part", span: { start: Math.max(byteLength - count, 0), end: byteLength - 1 } };
}

function bytesFrom(start: number, last: string, byteLength: number): RangeRequest {
  const end = last === "" ? Infinity : Number(last);
  if (end < start) return { kind: "whole" };
  if (start >= byteLength) return { kind: "unsatisfiable" };
  return { kind: "part", span: { start, end: Math.min(end, byteLength - 1) } };
}

/** `*`, or a list of entity tags, compared weakly. */
function matchesAnyTag(list: string, etag: string): boolean {
  if (list.trim() === "*") return true;
  // A comma may stand inside of a tag, so the list can't be split at commas.
  const tags = list.matchAll(/(?:W\/)?("[\x21\x23-\x7e\x80-\xff]*")/g);
  return [...tags].some(([, opaque]) => opaque === etag);
}

/** Only the one form that is still to be sent; what another form says is ignored. */
function isHttpDate(text: string): boolean {
  const date = new Date(text);
  return !Number.isNaN(date.valueOf()) && date.toUTCString() === text;
}

function wholeSeconds(date: Date): number {
  return Math.floor(date.valueOf() / 1000) * 1000;
}
