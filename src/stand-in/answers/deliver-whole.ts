import { once } from "node:events";
import { aborted } from "../pauses.js";
import type { Answer } from "./answer.js";
import { cut } from "./cut.js";
import type { Delivery } from "./deliver-stream.js";
import { wholeAnswer } from "./whole-answer.js";

/** Sends the answer as one JSON body, or as much of it as its fault allows. */
export async function deliverWhole(answer: Answer, delivery: Delivery): Promise<void> {
  const { response, signal, headers } = delivery;
  const body = Buffer.from(JSON.stringify(await wholeAnswer(answer)));
  signal.throwIfAborted();
  const length = String(body.byteLength);
  response.writeHead(200, { ...headers, "content-type": "application/json", "content-length": length });
  response.flushHeaders();
  switch (answer.fault?.name) {
    case "stall":
      return aborted(signal);
    case "cut":
    case "stream-error":
      return cutInTheMiddle(body, delivery);
    default:
      response.end(body);
  }
}

async function cutInTheMiddle(body: Buffer, { response, signal }: Delivery): Promise<void> {
  const half = body.subarray(0, Math.floor(body.byteLength / 2));
  if (!response.write(half)) await once(response, "drain", { signal });
  await cut(response);
}
