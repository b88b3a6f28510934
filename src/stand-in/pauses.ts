import { deferred } from "./deferred.js";
import type { RecordedRequest } from "./recorder.js";

/** `after-first-audio`: in a streamed answer, just after its first sound (a text answer: its first words). */
export type PausePoint = "before-answer" | "after-first-audio";

export interface Pause {
  /** Resolves when a request has come to the point; it then waits there. Rejects when the stand-in is closed before. */
  readonly reached: Promise<RecordedRequest>;
  /** Lets it go on; before it has come, it will not wait. */
  release(): void;
}

/** Stops answers at a point until they are released, so that a test can act in the middle of one without sleeping. */
export interface Pauses {
  /** Holds the next request that comes to the point; several calls hold several requests, in order. */
  pauseNext(point: PausePoint): Pause;
  /** Waits where a pause is set, until it is released or the signal aborts. */
  reach(point: PausePoint, request: RecordedRequest, signal: AbortSignal): Promise<void>;
  close(): void;
}

interface Waiting {
  arrive(request: RecordedRequest): void;
  refuse(error: Error): void;
  released: Promise<undefined>;
}

export function createPauses(): Pauses {
  const waiting: Record<PausePoint, Waiting[]> = { "before-answer": [], "after-first-audio": [] };
  return {
    pauseNext(point) {
      const { waiter, pause } = createPause();
      waiting[point].push(waiter);
      return pause;
    },
    async reach(point, request, signal) {
      const waiter = waiting[point].shift();
      if (waiter === undefined) return;
      waiter.arrive(request);
      await Promise.race([waiter.released, aborted(signal)]);
    },
    close() {
      const closed = new Error("The stand-in was closed before a request came to this pause.");
      for (const waiter of Object.values(waiting).flat()) waiter.refuse(closed);
    },
  };
}

function createPause(): { waiter: Waiting; pause: Pause } {
  const reached = deferred<RecordedRequest>();
  const released = deferred<undefined>();
  // A test that ends without asking must not leave an unhandled rejection behind.
  reached.promise.catch(() => undefined);
  return {
    waiter: {
      arrive: (request) => reached.resolve(request),
      refuse: (error) => reached.reject(error),
      released: released.promise,
    },
    pause: { reached: reached.promise, release: () => released.resolve(undefined) },
  };
}

/** Resolves when the signal aborts; at once where it has. */
export function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}
