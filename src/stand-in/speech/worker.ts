import { parentPort } from "node:worker_threads";
import type { SpeechJob, SpeechOrder, SpeechReply } from "./jobs.js";

/** Each part is loaded with its first job: the encoders are not needed for a spoken stream. */
async function run(job: SpeechJob): Promise<Uint8Array> {
  if (job.kind === "encode") {
    const { encode } = await import("./encode.js");
    return encode(job.pcm, job.format);
  }
  const { speak } = await import("./flite.js");
  const pcm = await speak(job.text, job.voice);
  return new Uint8Array(pcm.buffer, pcm.byteOffset, pcm.byteLength);
}

async function answer({ id, job }: SpeechOrder): Promise<void> {
  const reply = await run(job).then(
    (bytes): SpeechReply => ({ id, ok: true, bytes }),
    (error: unknown): SpeechReply => ({ id, ok: false, message: String(error) }),
  );
  parentPort?.postMessage(reply);
}

// One job after the other: an encoder waits between its packets, and two at once would take turns.
let queue: Promise<void> = Promise.resolve();
parentPort?.on("message", (order: SpeechOrder) => {
  queue = queue.then(() => answer(order));
});
