import type { TurnRow } from "../../db/rows.js";

/** Tells those who wait that a turn has ended in this process. */
export class TurnEnds {
  readonly #waiting = new Map<string, Set<(ended: TurnRow | null) => void>>();

  /**
   * Resolves when the turn's end is announced, to the turn as it is then, or after `timeoutMs`, to null. The timer goes
   * either way.
   */
  wait(turnId: string, timeoutMs: number): Promise<TurnRow | null> {
    return new Promise((resolve) => {
      const waiting = this.#waiting.get(turnId) ?? new Set();
      const finish = (ended: TurnRow | null) => {
        clearTimeout(timer);
        waiting.delete(finish);
        if (waiting.size === 0) this.#waiting.delete(turnId);
        resolve(ended);
      };
      const timer = setTimeout(() => finish(null), timeoutMs);
      waiting.add(finish);
      this.#waiting.set(turnId, waiting);
    });
  }

  /** `ended` is null where those who wait have to look themselves. */
  announce(turnId: string, ended: TurnRow | null): void {
    for (const finish of [...(this.#waiting.get(turnId) ?? [])]) finish(ended);
  }
}
