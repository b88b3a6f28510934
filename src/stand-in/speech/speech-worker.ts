import type { Worker } from "node:worker_threads";
import type { SpeechJob, SpeechOrder, SpeechReply } from "./jobs.js";
import { deferred, type Deferred } from "../deferred.js";
import { openWorker } from "../open-worker.js";

/** A thread of its own for speech and encoders, started with the first job. */
export interface SpeechWorker {
  /** Starts the thread before the first job needs it. */
  warmUp(): void;
  /** Rejects where the job fails, takes over 60 s, or the worker is closed. */
  run(job: SpeechJob): Promise<Uint8Array>;
  close(): Promise<void>;
}

const jobTimeoutMs = 60_000;

interface Thread {
  worker: Worker;
  pending: Map<number, Deferred<Uint8Array>>;
}

export function createSpeechWorker(): SpeechWorker {
  let thread: Thread | null = null;
  let closed = false;
  let lastId = 0;
  const currentThread = () => (thread ??= startThread(() => (thread = null)));
  return {
    warmUp: () => void currentThread(),
    async run(job) {
      if (closed) throw new Error("The stand-in's speech was closed.");
      lastId += 1;
      return runOn(currentThread(), { id: lastId, job });
    },
    async close() {
      closed = true;
      await thread?.worker.terminate();
    },
  };
}

async function runOn({ worker, pending }: Thread, order: SpeechOrder): Promise<Uint8Array> {
  const result = deferred<Uint8Array>();
  pending.set(order.id, result);
  // A job that never ends would hold up all later ones: the thread goes, and the next job starts a new one.
  const timer = setTimeout(() => void worker.terminate(), jobTimeoutMs);
  try {
    worker.postMessage(order);
    return await result.promise;
  } finally {
    clearTimeout(timer);
    pending.delete(order.id);
  }
}

function startThread(onEnd: () => void): Thread {
  const worker = openWorker(import.meta.url, "worker");
  const pending = new Map<number, Deferred<Uint8Array>>();
  let reason = "The speech worker was ended.";
  worker.unref();
  worker.on("message", (reply: SpeechReply) => {
    if (reply.ok) pending.get(reply.id)?.resolve(reply.bytes);
    else pending.get(reply.id)?.reject(new Error(reply.message));
  });
  worker.on("error", (error) => (reason = `The speech worker failed: ${String(error)}`));
  worker.on("exit", () => {
    onEnd();
    for (const job of pending.values()) job.reject(new Error(reason));
  });
  return { worker, pending };
}
