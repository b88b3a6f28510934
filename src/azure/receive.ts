import type { ReadableStream } from "node:stream/web";
import { type AnswerChunk, parseChunk } from "./chunk-schema.js";
import { ConnectionCut, StreamedError, UnreadableAnswer } from "./interruptions.js";
import { ReadAhead } from "./read-ahead.js";
import { SseReader } from "./sse.js";
import type { CallClock } from "./timers.js";

/** More than the longest answer in any format makes; beyond it the answer is given up. */
export const maxAnswerByteLength = 64 * 1024 * 1024;

/** How long the end of the connection is waited for when all has been said: read to its end, it can be used again. */
const closingTimeoutMs = 100;

/**
 * The chunks of a stream, read little faster than they are taken. Throws ConnectionCut, StreamedError or UnreadableAnswer; a
 * stream that just ends, ends: whether the answer is whole is for its content to tell.
 */
export async function* receiveStream(response: Response, clock: CallClock): AsyncGenerator<AnswerChunk> {
  const reader = new SseReader();
  let said = false;
  try {
    for await (const bytes of receiveBytes(response, clock)) {
      if (said) return;
      for (const data of reader.push(bytes)) {
        said ||= data.startsWith("[DONE]");
        if (!said) yield readStreamed(data);
      }
      if (said) clock.lowerIdleTimeout(closingTimeoutMs);
    }
  } catch (error) {
    if (!(said && error instanceof ConnectionCut)) throw error;
  }
}

/** A whole answer. Throws ConnectionCut or UnreadableAnswer. */
export async function receiveWhole(
  response: Response,
  clock: CallClock,
  maxByteLength = maxAnswerByteLength,
): Promise<AnswerChunk> {
  const pieces: Uint8Array[] = [];
  for await (const bytes of receiveBytes(response, clock, maxByteLength)) pieces.push(bytes);
  return parseChunk(Buffer.concat(pieces).toString("utf8"));
}

function readStreamed(data: string): AnswerChunk {
  const chunk = parseChunk(data);
  if (chunk.error != null) throw new StreamedError(chunk.error);
  return chunk;
}

// The idle limit runs only while bytes are waited for, so a slow taker is no stall of the model's.
async function* receiveBytes(
  response: Response,
  clock: CallClock,
  maxByteLength = maxAnswerByteLength,
): AsyncGenerator<Uint8Array> {
  let byteLength = 0;
  const body: ReadableStream<Uint8Array> | null = response.body;
  if (body === null) return;
  const reader = new ReadAhead(body);
  try {
    for (;;) {
      if (reader.isEmpty) clock.expectBytes();
      const bytes = await readNext(reader);
      clock.restIdle();
      if (bytes === null) return;
      byteLength += bytes.byteLength;
      if (byteLength > maxByteLength)
        throw new UnreadableAnswer(`The model's answer is over ${maxByteLength} bytes.`);
      yield bytes;
    }
  } finally {
    clock.restIdle();
    reader.cancel();
  }
}

async function readNext(reader: ReadAhead): Promise<Uint8Array | null> {
  try {
    return await reader.next();
  } catch (cause) {
    throw new ConnectionCut("The connection broke.", { cause });
  }
}
