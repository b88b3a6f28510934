import type { Logger } from "pino";
import { deferred, type Deferred } from "../deferred.js";
import { aborted } from "../pauses.js";
import type { Heard } from "./heard.js";
import type { HearingWorker } from "./hearing-worker.js";

/** Clips wait here for the one decoder. */
export interface HearingQueue {
  /**
   * Null where the clip could not be heard, where too many wait, or when the signal aborts before. Those who want the
   * same clip (the same key) share it. `onHeard` is called also when nobody waits any more.
   */
  hear(
    key: string,
    bytes: Uint8Array,
    signal: AbortSignal,
    onHeard: (heard: Heard) => void,
  ): Promise<Heard | null>;
  close(): Promise<void>;
}

interface Job {
  key: string;
  bytes: Uint8Array;
  result: Deferred<Heard | null>;
  onHeard: (heard: Heard) => void;
  waiting: number;
}

const maxWaiting = 16;
/** So many failures in a row are no accident: the decoder does not run here. */
const maxFailures = 3;

export function createHearingQueue(worker: HearingWorker, logger: Logger): HearingQueue {
  const jobs: Job[] = [];
  let isRunning = false;
  let failures = 0;
  let closed = false;

  const drop = (job: Job) => {
    const index = jobs.indexOf(job);
    if (index !== -1) jobs.splice(index, 1);
  };
  const fail = (job: Job, error: unknown) => {
    failures += 1;
    if (!closed && failures === 1) logger.warn({ err: error }, "the stand-in could not hear a clip");
    if (!closed && failures === maxFailures)
      logger.warn("the stand-in has stopped listening: it failed too often");
    job.result.resolve(null);
  };
  const runAll = async () => {
    isRunning = true;
    for (let job = jobs[0]; job !== undefined; job = jobs[0]) {
      const { bytes, onHeard, result } = job;
      try {
        if (closed || failures >= maxFailures) result.resolve(null);
        else {
          const heard = await worker.hear(bytes);
          failures = 0;
          onHeard(heard);
          result.resolve(heard);
        }
      } catch (error) {
        fail(job, error);
      }
      drop(job);
    }
    isRunning = false;
  };

  return {
    async hear(key, bytes, signal, onHeard) {
      if (closed || failures >= maxFailures) return null;
      let job = jobs.find((other) => other.key === key);
      if (job === undefined) {
        if (jobs.length >= maxWaiting) return null;
        job = { key, bytes, result: deferred<Heard | null>(), onHeard, waiting: 0 };
        jobs.push(job);
        if (!isRunning) void runAll();
      }
      job.waiting += 1;
      const heard = await Promise.race([job.result.promise, aborted(signal).then(() => null)]);
      job.waiting -= 1;
      // The first one is with the decoder: it is heard to its end, for the client that asks again.
      if (job.waiting === 0 && job !== jobs[0]) drop(job);
      return heard;
    },
    async close() {
      closed = true;
      await worker.close();
    },
  };
}
