import type { FastifyReply, FastifyRequest } from "fastify";
import type { IncomingMessage } from "node:http";
import { Readable } from "node:stream";
import { setImmediate as nextTurn } from "node:timers/promises";

const maxDrainedBytes = 1024 * 1024;
const maxLingerMs = 1000;

/** For an onSend hook: the answer goes out as it is, and what was not read of the body is not read any more. */
export async function withoutReadingOn(
  request: FastifyRequest,
  reply: FastifyReply,
  payload: unknown,
): Promise<unknown> {
  const { raw } = request;
  // The end of a body is told a moment after its last bytes, and the answer may be ready in between.
  if (!raw.complete) await nextTurn();
  if (raw.complete) {
    // At most a buffer of it is unread.
    raw.resume();
    return payload;
  }
  void reply.header("connection", "close");
  if (typeof payload === "string" || payload instanceof Uint8Array) {
    void reply.header("content-length", Buffer.byteLength(payload));
    return answerBeforeBodyEnds(payload, raw);
  }
  return payload instanceof Readable ? answerBeforeBodyEnds(payload, raw) : payload;
}

/**
 * An answer to a request whose body is still coming in: the answer goes out at once, its end waits until the client
 * has stopped sending. A connection that is closed on unread bytes is reset, and many clients then lose the answer.
 * At most 1 MiB is read and thrown away, and after at most one second the answer ends all the same.
 */
export function answerBeforeBodyEnds(
  answer: string | Uint8Array | Readable,
  request: IncomingMessage,
): Readable {
  return Readable.from(answerThenLinger(answer, request), { objectMode: false });
}

async function* answerThenLinger(answer: string | Uint8Array | Readable, request: IncomingMessage) {
  if (answer instanceof Readable) yield* answer as AsyncIterable<string | Uint8Array>;
  else yield answer;
  await clientStops(request);
}

function clientStops(request: IncomingMessage): Promise<void> {
  return new Promise((resolve) => {
    let drainedBytes = 0;
    const timer = setTimeout(stop, maxLingerMs);
    function discard(bytes: Uint8Array): void {
      drainedBytes += bytes.byteLength;
      if (drainedBytes > maxDrainedBytes) request.pause();
    }
    function stop(): void {
      clearTimeout(timer);
      request.off("data", discard).off("end", stop).off("close", stop).off("error", stop).pause();
      resolve();
    }
    if (request.destroyed || request.readableEnded) return stop();
    request.on("end", stop).on("close", stop).on("error", stop).on("data", discard).resume();
  });
}
