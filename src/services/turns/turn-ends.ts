import type { TurnRow } from "../../db/rows.js";
import type { WakeUps } from "../live/wake-ups.js";

/** Somebody's wait for the end of a turn. */
export interface EndWait {
  /** The turn at its end; null where it is time to look: it ended in another server, or the wait is over. */
  ended: Promise<TurnRow | null>;
  /** Nobody waits any more. */
  cancel(): void;
}

/** Tells those who wait that a turn has ended, in this process or in another server. */
export class TurnEnds {
  readonly #wakeUps: WakeUps;
  readonly #waiting = new Map<string, Set<(ended: TurnRow | null) => void>>();

  constructor(wakeUps: WakeUps) {
    this.#wakeUps = wakeUps;
  }

  /** Begins to wait at once, so that who looks at the turn afterwards misses no end. The timer goes in any case. */
  wait(turnId: string, timeoutMs: number): EndWait {
    let finish: (ended: TurnRow | null) => void = () => undefined;
    const ended = new Promise<TurnRow | null>((resolve) => {
      const waiting = this.#waiting.get(turnId) ?? new Set();
      const stop = this.#wakeUps.listen(`end ${turnId}`, () => finish(null));
      finish = (row) => {
        clearTimeout(timer);
        stop();
        waiting.delete(finish);
        if (waiting.size === 0 && this.#waiting.get(turnId) === waiting) this.#waiting.delete(turnId);
        resolve(row);
      };
      const timer = setTimeout(() => finish(null), timeoutMs);
      waiting.add(finish);
      this.#waiting.set(turnId, waiting);
    });
    return { ended, cancel: () => finish(null) };
  }

  /** `ended` is null where those who wait have to look themselves. */
  announce({ id, ownerId }: { id: string; ownerId: string }, ended: TurnRow | null): void {
    for (const finish of [...(this.#waiting.get(id) ?? [])]) finish(ended);
    this.#wakeUps.tellOthers(`end ${id}`);
    this.#wakeUps.publish(`turn ${id}`);
    this.#wakeUps.publish(`owner ${ownerId}`);
  }
}
