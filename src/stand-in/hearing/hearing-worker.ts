import type { Worker } from "node:worker_threads";
import { deferred, type Deferred } from "../deferred.js";
import { openWorker } from "../open-worker.js";
import type { Heard, HearingOrder, HearingReply, HearingSettings } from "./heard.js";

/** A thread of its own for the decoder, which needs most of a second to start and 200 MB while it lives. */
export interface HearingWorker {
  /** One clip at a time. Rejects where the decoder fails, takes too long, or the worker is closed: the thread goes then. */
  hear(bytes: Uint8Array): Promise<Heard>;
  close(): Promise<void>;
}

export interface HearingWorkerOptions extends HearingSettings {
  /** The longest time for one clip, the start of the decoder included. */
  jobTimeoutMs: number;
  /** After so long without a clip the thread ends; the next clip starts a new one. */
  idleMs: number;
}

interface Thread {
  worker: Worker;
  /** Null while nothing is being heard. */
  job: { id: number; result: Deferred<Heard> } | null;
}

export function createHearingWorker(options: HearingWorkerOptions): HearingWorker {
  let thread: Thread | null = null;
  let idle: NodeJS.Timeout | undefined;
  let lastId = 0;
  let closed = false;
  const end = async () => {
    clearTimeout(idle);
    const ended = thread;
    thread = null;
    await ended?.worker.terminate();
  };
  return {
    async hear(bytes) {
      if (closed) throw new Error("The stand-in's hearing was closed.");
      clearTimeout(idle);
      thread ??= startThread(options);
      lastId += 1;
      try {
        const heard = await hearOn(thread, { id: lastId, bytes }, options.jobTimeoutMs);
        idle = setTimeout(() => void end(), options.idleMs).unref();
        return heard;
      } catch (error) {
        // What a decoder does after an error is anybody's guess.
        await end();
        throw error;
      }
    },
    async close() {
      closed = true;
      await end();
    },
  };
}

async function hearOn(thread: Thread, order: HearingOrder, timeoutMs: number): Promise<Heard> {
  const result = deferred<Heard>();
  thread.job = { id: order.id, result };
  const timer = setTimeout(() => result.reject(new Error(`A clip took over ${timeoutMs} ms.`)), timeoutMs);
  try {
    thread.worker.postMessage(order);
    return await result.promise;
  } finally {
    clearTimeout(timer);
    thread.job = null;
  }
}

function startThread({ packageFolder, maxSeconds }: HearingSettings): Thread {
  const settings: HearingSettings = { packageFolder, maxSeconds };
  const worker = openWorker(import.meta.url, "worker", settings);
  const thread: Thread = { worker, job: null };
  let reason = "The hearing worker was ended.";
  worker.unref();
  worker.on("message", (reply: HearingReply) => {
    if (reply.id !== thread.job?.id) return;
    if (reply.ok) thread.job.result.resolve(reply.heard);
    else thread.job.result.reject(new Error(reply.message));
  });
  worker.on("error", (error) => (reason = `The hearing worker failed: ${String(error)}`));
  worker.on("exit", () => thread.job?.result.reject(new Error(reason)));
  return thread;
}
