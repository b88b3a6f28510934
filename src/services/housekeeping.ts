import type { DatabaseClient } from "../db/database.js";
import type { Logger } from "../logger.js";
import type { AudioStore } from "../storage/audio-store.js";
import { sweepOrphans } from "./audio/orphans.js";
import { eventLifetimeMs } from "./live/conversation-change.js";

export interface HousekeepingParts {
  client: DatabaseClient;
  store: AudioStore;
  logger: Logger;
}

const intervalMs = 60 * 60 * 1000;
/** Longer than any upload or answer takes from its first byte to its row. */
const leftoverAgeMs = 30 * 60 * 1000;

/** Removes what nobody needs any more: at the start, then about once an hour. */
export class Housekeeping {
  readonly #parts: HousekeepingParts;
  #timer: NodeJS.Timeout | null = null;
  #sweep: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(parts: HousekeepingParts) {
    this.#parts = parts;
  }

  /** Returns at once; the server need not wait for it. */
  start(): void {
    this.#sweep = this.#run().finally(() => this.#schedule());
  }

  async close(): Promise<void> {
    this.#closed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    await this.#sweep;
  }

  /** Servers that started together don't sweep at the same moment. */
  #schedule(): void {
    if (this.#closed) return;
    this.#timer = setTimeout(() => this.start(), intervalMs * (0.5 + Math.random()));
    this.#timer.unref();
  }

  async #run(): Promise<void> {
    const { client, store } = this.#parts;
    await this.#task("unfinished sound", () => store.sweepDrafts(leftoverAgeMs));
    await this.#task("sound without a row", () => sweepOrphans(client, store, leftoverAgeMs));
    await this.#task("old events", async () => {
      const createdAt = { lt: new Date(Date.now() - eventLifetimeMs) };
      return (await client.conversationEvent.deleteMany({ where: { createdAt } })).count;
    });
  }

  async #task(what: string, sweep: () => Promise<number>): Promise<void> {
    if (this.#closed) return;
    try {
      const removed = await sweep();
      if (removed > 0) this.#parts.logger.info({ removed }, `removed ${what} that was left over`);
    } catch (error) {
      this.#parts.logger.warn({ err: error }, `could not remove ${what}; trying again in an hour or so`);
    }
  }
}
