import { setTimeout as delay } from "node:timers/promises";
import type { TurnRow } from "../../db/rows.js";
import type { Logger } from "../../logger.js";
import type { CallColumns } from "./call-record.js";
import { recordCalls } from "./paid-calls.js";
import type { PaidCallsParts } from "./paid-calls.js";

/** Waits between tries, in milliseconds: some ten minutes in all. */
const delaysMs = [100, 500, 2_000, 5_000, 10_000, 30_000, ...Array<number>(10).fill(60_000)];

/**
 * Writes the calls of attempts whose end this server could not write, or may not: only it knows what they really cost. Turns are
 * accepted only while the database takes writes, so that few can wait here.
 */
export class CallsToWrite {
  readonly #parts: PaidCallsParts;
  readonly #logger: Logger;
  readonly #waiting = new Set<Promise<void>>();
  readonly #closing = new AbortController();

  constructor(parts: PaidCallsParts & { logger: Logger }) {
    this.#parts = parts;
    this.#logger = parts.logger;
  }

  /** Resolves after the first try; what could not be written then is tried again later. */
  async add(turn: TurnRow, calls: readonly CallColumns[]): Promise<void> {
    // Where nothing was paid, something may still be reserved.
    if (calls.length === 0 && this.#parts.budgets === null) return;
    if (await this.#isWritten(turn, calls)) return;
    const writing: Promise<void> = this.#tryAgain(turn, calls).finally(() => this.#waiting.delete(writing));
    this.#waiting.add(writing);
  }

  /** Tries what waits once more. */
  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.all(this.#waiting);
  }

  async #tryAgain(turn: TurnRow, calls: readonly CallColumns[]): Promise<void> {
    const { signal } = this.#closing;
    for (const delayMs of delaysMs) {
      await delay(delayMs, undefined, { signal }).catch(() => undefined);
      if (await this.#isWritten(turn, calls)) return;
      if (signal.aborted) break;
    }
    const requestIds = calls.flatMap(({ providerRequestId }) => providerRequestId ?? []);
    this.#logger.error(
      { turnId: turn.id, requestIds },
      "gave up writing what the calls of a turn have cost; their usage stays an estimate, or uncounted where the turn was deleted",
    );
  }

  async #isWritten(turn: TurnRow, calls: readonly CallColumns[]): Promise<boolean> {
    try {
      await recordCalls(this.#parts, turn, calls);
      return true;
    } catch (error) {
      this.#logger.warn(
        { err: error, turnId: turn.id },
        "could not write what the calls of a turn have cost; trying again",
      );
      return false;
    }
  }
}
