import type { ServerResponse } from "node:http";
import { aborted } from "../pauses.js";
import type { Answer } from "./answer.js";
import { createChunks } from "./chunks.js";
import { cut } from "./cut.js";
import { createEventStream, type EventStream } from "./event-stream.js";
import { streamSteps, type Step } from "./stream-steps.js";

export interface Delivery {
  response: ServerResponse;
  /** The provider's headers for this answer. */
  headers: Record<string, string>;
  /** Aborts when the connection is closed, by whichever side. */
  signal: AbortSignal;
  /** Waits where a pause is set. */
  pauseAfterFirstAudio(): Promise<void>;
}

/** Sends the answer as server-sent events, or as much of it as its fault allows. */
export async function deliverStream(answer: Answer, delivery: Delivery): Promise<void> {
  const { response, signal } = delivery;
  response.writeHead(200, { ...delivery.headers, "content-type": "text/event-stream; charset=utf-8" });
  response.flushHeaders();
  if (stallsAt(answer) === "after-headers") return aborted(signal);
  const events = createEventStream(response, signal);
  const isWhole = await sendSteps(answer, events, delivery);
  if (!isWhole) return spoilEnd(answer, events, delivery);
  await events.send("[DONE]");
  response.end();
}

/** Answers false where the fault stops the answer after its first sound. */
async function sendSteps(answer: Answer, events: EventStream, delivery: Delivery): Promise<boolean> {
  const first = answer.form.kind === "audio" ? "sound" : "words";
  let isFirst = true;
  for await (const step of streamSteps(answer)) {
    await events.send(JSON.stringify(step.chunk));
    if (!isFirst || !isTurningPoint(step, first)) continue;
    isFirst = false;
    await delivery.pauseAfterFirstAudio();
    if (stopsInTheMiddle(answer)) return false;
  }
  return true;
}

function isTurningPoint(step: Step, first: Step["brings"]): boolean {
  return step.brings === first;
}

function stallsAt({ fault }: Answer): string | null {
  return fault?.name === "stall" ? (fault.at ?? "after-headers") : null;
}

function stopsInTheMiddle(answer: Answer): boolean {
  const name = answer.fault?.name;
  return name === "cut" || name === "content-filter-answer" || name === "stream-error" || name === "stall";
}

async function spoilEnd(answer: Answer, events: EventStream, { response, signal }: Delivery): Promise<void> {
  switch (answer.fault?.name) {
    case "content-filter-answer":
      await events.send(JSON.stringify(createChunks(answer).filtered()));
      await events.send("[DONE]");
      response.end();
      return;
    case "stream-error":
      await events.send(JSON.stringify(errorInStream));
      response.end();
      return;
    case "stall":
      return aborted(signal);
    default:
      return cut(response);
  }
}

const errorInStream = {
  error: {
    message: "The server had an error while processing your request. Sorry about that!",
    type: "server_error",
    param: null,
    code: null,
  },
};
