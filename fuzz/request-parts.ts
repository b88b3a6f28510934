import { mutate, pick } from "./mutate.js";
import type { MutationSources } from "./mutate.js";

const endOfHead = "\r\n\r\n";

/** A request as bytes: its first line, the lines of its headers, its body. */
export interface RequestParts {
  lines: Uint8Array[];
  /** Null where the head has no end. */
  body: Uint8Array | null;
}

export function splitRequest(bytes: Uint8Array): RequestParts {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = buffer.indexOf(endOfHead);
  const head = buffer.subarray(0, end < 0 ? buffer.byteLength : end).toString("latin1");
  const lines = head.split("\r\n").map((line) => Buffer.from(line, "latin1"));
  return { lines, body: end < 0 ? null : buffer.subarray(end + endOfHead.length) };
}

export function joinRequest({ lines, body }: RequestParts): Uint8Array {
  const head = lines.flatMap((line, index) => (index === 0 ? [line] : [Buffer.from("\r\n"), line]));
  return Buffer.concat(body === null ? head : [...head, Buffer.from(endOfHead), body]);
}

/** Changes the body, one line, the order of the lines, or anything at all. */
export function mutateRequest(bytes: Uint8Array, sources: MutationSources): Uint8Array {
  const { random } = sources;
  const parts = splitRequest(bytes);
  if (random.chance(0.2)) return mutate(bytes, sources);
  if (parts.body !== null && parts.body.byteLength > 0 && random.chance(0.6)) {
    return joinRequest({ ...parts, body: mutate(parts.body, sources) });
  }
  const changed = pick(random, parts.lines);
  const lines = parts.lines.flatMap((line) => {
    if (line !== changed) return [line];
    return random.chance(0.1) ? [line, mutate(line, sources)] : [mutate(line, sources)];
  });
  return joinRequest({ ...parts, lines });
}
