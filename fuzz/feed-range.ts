import { Connection } from "./connection.js";
import { MalformedAnswer, readAnswers } from "./http-answers.js";
import type { HttpAnswer } from "./http-answers.js";
import { fillIn } from "./scene.js";
import type { Scene } from "./scene.js";
import { patienceMs } from "./server-target.js";

const names = ["range", "if-range", "if-none-match", "if-modified-since"];
const longestValue = 3_000;

/** An input is lines of conditional headers; what is no such line is left out, and so is what can't stand in a header. */
export function rangeHeaders(input: Uint8Array): Map<string, string> {
  const headers = new Map<string, string>();
  for (const line of Buffer.from(input).toString("latin1").split("\r\n")) {
    const [, name = "", value = ""] = /^([a-z-]+): (.*)$/i.exec(line) ?? [];
    // eslint-disable-next-line no-control-regex
    const allowed = value.replaceAll(/[\x00-\x08\x0a-\x1f\x7f]/g, " ").slice(0, longestValue);
    if (names.includes(name.toLowerCase())) headers.set(name.toLowerCase(), allowed);
  }
  return headers;
}

/** Asks for a kept clip with these headers and looks whether the very bytes come that the answer names. */
export async function feedRange(input: Uint8Array, scene: Scene): Promise<string | null> {
  const headers = rangeHeaders(fillIn(input, scene));
  const lines = [...headers].map(([name, value]) => `${name}: ${value}\r\n`);
  const head = `GET /audio/${scene.clip.id}.wav HTTP/1.1\r\nhost: ${scene.host}\r\n${lines.join("")}\r\n`;
  const connection = new Connection(scene);
  try {
    connection.send(Buffer.from(head, "latin1"));
    const read = () => readAnswers(connection.received, ["GET"], connection.isClosed).answers[0];
    await connection.until(() => read() !== undefined, patienceMs);
    const answer = read();
    return answer === undefined ? `no answer in ${patienceMs} ms` : judgeRange(headers, answer, scene.clip);
  } catch (error) {
    if (error instanceof MalformedAnswer) return `a malformed answer: ${error.message}`;
    throw error;
  } finally {
    connection.destroy();
  }
}

type Clip = Pick<Scene["clip"], "bytes" | "etag">;

export function judgeRange(
  asked: ReadonlyMap<string, string>,
  { status, headers, body }: HttpAnswer,
  { bytes, etag }: Clip,
): string | null {
  const total = bytes.byteLength;
  switch (status) {
    case 200:
      return same(body, bytes) ? null : "200 without the whole clip";
    case 304:
      return asked.has("if-none-match") || asked.has("if-modified-since")
        ? null
        : "304 that nobody asked for";
    case 416:
      return headers.get("content-range") === `bytes */${total}` ? null : "416 without the clip's length";
    case 206:
      return judgePart(asked, { headers, body }, { bytes, etag });
    default:
      return `an answer of ${status}`;
  }
}

function judgePart(
  asked: ReadonlyMap<string, string>,
  { headers, body }: Pick<HttpAnswer, "headers" | "body">,
  { bytes, etag }: Clip,
): string | null {
  const told = headers.get("content-range") ?? "";
  const [, start = "", end = "", total] = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(told) ?? [];
  if (total !== String(bytes.byteLength)) return `206 with the range "${told}"`;
  const ifRange = asked.get("if-range")?.trim();
  if (ifRange !== undefined && ifRange !== etag) return "206 although If-Range did not fit";
  if (!same(body, bytes.subarray(Number(start), Number(end) + 1))) return `206 with other bytes than ${told}`;
  const wanted = wantedSpan(asked.get("range") ?? "", bytes.byteLength);
  return wanted === `${start}-${end}` ? null : `206 with ${told} for the range "${asked.get("range") ?? ""}"`;
}

/** By RFC 9110, section 14.1.2, counted in whole numbers of any size; null for what is not one range. */
function wantedSpan(range: string, byteLength: number): string | null {
  const [, first = "", last = ""] = /^\s*bytes=\s*(\d*)-(\d*)\s*$/i.exec(range) ?? [];
  const size = BigInt(byteLength);
  if (first === "" && last === "") return null;
  if (first === "") return `${size > BigInt(last) ? size - BigInt(last) : 0n}-${size - 1n}`;
  const end = last === "" || BigInt(last) >= size ? size - 1n : BigInt(last);
  return `${BigInt(first)}-${end}`;
}

function same(left: Uint8Array, right: Uint8Array): boolean {
  return Buffer.from(left.buffer, left.byteOffset, left.byteLength).equals(right);
}
