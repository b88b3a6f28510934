import { databaseId } from "../db/database.js";
import type { DatabaseClient } from "../db/database.js";
import type { Dialect } from "../db/sql.js";
import type { Logger } from "../logger.js";
import type { AudioStore } from "../storage/audio-store.js";
import { sweepAnswerDrafts } from "./audio/left-drafts.js";
import { sweepOrphans } from "./audio/orphans.js";
import { sweepReservations, sweepSpending } from "./budgets/left-reservations.js";
import type { RateWindows } from "./rates/rate-windows.js";
import { sweepUploads } from "./uploads/sweep-uploads.js";
import type { SigningKeys } from "./signing/signing-keys.js";
import type { Retention } from "./keeping/retention.js";
import { eventLifetimeMs } from "./live/conversation-change.js";

export interface HousekeepingParts {
  client: DatabaseClient;
  dialect: Dialect;
  store: AudioStore;
  windows: RateWindows;
  signingKeys: SigningKeys;
  retention: Retention;
  logger: Logger;
}

const intervalMs = 60 * 60 * 1000;
/** Longer than any upload takes, which is cut after a quarter of an hour (src/http/limits/slow-clients.ts), and a copy for recovery. */
const draftAgeMs = 30 * 60 * 1000;
/** So long there is time to bring back the rows of a database that was restored from an older backup. */
const orphanAgeMs = 7 * 24 * 60 * 60 * 1000;

/** Removes what nobody needs any more: at the start, then about once an hour. */
export class Housekeeping {
  readonly #parts: HousekeepingParts;
  #timer: NodeJS.Timeout | null = null;
  #sweep: Promise<void> = Promise.resolve();
  readonly #closed = new AbortController();

  constructor(parts: HousekeepingParts) {
    this.#parts = parts;
  }

  /** Returns at once; the server need not wait for it. */
  start(): void {
    this.#sweep = this.#run().finally(() => this.#schedule());
  }

  /** Resolves when nothing is being removed: for who counts statements or looks at files. */
  settled(): Promise<void> {
    return this.#sweep;
  }

  async close(): Promise<void> {
    this.#closed.abort();
    if (this.#timer !== null) clearTimeout(this.#timer);
    await this.#sweep;
  }

  /** Servers that started together don't sweep at the same moment. */
  #schedule(): void {
    if (this.#closed.signal.aborted) return;
    this.#timer = setTimeout(() => this.start(), intervalMs * (0.5 + Math.random()));
    this.#timer.unref();
  }

  async #run(): Promise<void> {
    const { client, dialect, store, windows, retention } = this.#parts;
    await this.#task("what is kept no longer", () => retention.sweep(new Date(), this.#closed.signal));
    await this.#task("unfinished sound", () => store.sweepDrafts(draftAgeMs));
    if (await this.#isOurs()) {
      await this.#task("unfinished answers", () => sweepAnswerDrafts(client, store, draftAgeMs));
      await this.#task("sound without a row", () =>
        sweepOrphans(client, store, orphanAgeMs, this.#closed.signal),
      );
    }
    await this.#task("uploads", () => sweepUploads({ client, store }));
    await this.#task("signing keys", () => this.#parts.signingKeys.renew());
    await this.#task("old events", async () => {
      const createdAt = { lt: new Date(Date.now() - eventLifetimeMs) };
      return (await client.conversationEvent.deleteMany({ where: { createdAt } })).count;
    });
    await this.#task("reserved money", () => sweepReservations(client, dialect));
    await this.#task("old sums of money", () => sweepSpending(client));
    await this.#task("counts of requests", () => windows.sweep());
  }

  /** With another database than the one that its rows are in, all sound would look left over. */
  async #isOurs(): Promise<boolean> {
    const { client, store, logger } = this.#parts;
    let ours = false;
    await this.#task("left-over sound", async () => {
      const id = await databaseId(client);
      ours = (await store.claim(id)) === id;
      if (!ours)
        logger.warn(
          "the audio in DATA_DIR belongs to another database than DATABASE_URL names: nothing of it is swept",
        );
      return 0;
    });
    return ours;
  }

  async #task(what: string, sweep: () => Promise<number>): Promise<void> {
    if (this.#closed.signal.aborted) return;
    try {
      const removed = await sweep();
      if (removed > 0) this.#parts.logger.info({ removed }, `removed ${what} that was left over`);
    } catch (error) {
      this.#parts.logger.warn({ err: error }, `could not remove ${what}; trying again in an hour or so`);
    }
  }
}
