import { FairQueue } from "./fair-queue.js";
import type { FairQueueBounds } from "./fair-queue.js";

/**
 * The places in which this server runs turns. Their number is what bounds its memory: a turn that runs may hold a
 * request with all its sound, one that waits holds no sound.
 */
export class RunningPlaces {
  readonly #queue: FairQueue<() => void>;

  constructor(bounds: FairQueueBounds) {
    this.#queue = new FairQueue(bounds);
  }

  /** Resolves, when it is the viewer's turn, to what frees the place again; to null where `signal` aborts before that. */
  take(viewerId: string, signal: AbortSignal): Promise<(() => void) | null> {
    if (signal.aborted) return Promise.resolve(null);
    return new Promise((resolve) => {
      const leave = () => {
        this.#queue.remove(viewerId, begin);
        resolve(null);
      };
      const begin = () => {
        signal.removeEventListener("abort", leave);
        resolve(() => this.#free(viewerId));
      };
      signal.addEventListener("abort", leave, { once: true });
      this.#queue.add(viewerId, begin);
      this.#fill();
    });
  }

  #free(viewerId: string): void {
    this.#queue.end(viewerId);
    this.#fill();
  }

  #fill(): void {
    for (let begin = this.#queue.next(); begin !== null; begin = this.#queue.next()) begin();
  }
}
