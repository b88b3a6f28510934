import type { Database, DatabaseClient } from "../../db/database.js";
import type { Logger } from "../../logger.js";
import type { AudioStore } from "../../storage/audio-store.js";
import type { WakeUps } from "../live/wake-ups.js";
import type { Deletions } from "./deletions.js";
import { conversationsWithOldTurns, idleConversations, oldSound } from "./old-rows.js";
import type { Clock, FoundConversation } from "./old-rows.js";
import { removeFiles } from "./remove-files.js";
import { removeSound } from "./remove-sound.js";
import type { RetentionDays } from "./retention-days.js";
import { Spared, spareActive, unlessSpared } from "./spared.js";
import { trimConversation } from "./trim-conversation.js";

export interface RetentionParts {
  client: DatabaseClient;
  store: AudioStore;
  logger: Logger;
  wakeUps: WakeUps;
  eraseRemoved: Database["eraseRemoved"];
  deletions: Pick<Deletions, "deleteConversation">;
  /** Of the server. */
  days: RetentionDays;
}

const dayMs = 24 * 60 * 60 * 1000;

/**
 * Removes what is older than it is to be kept, by two clocks: sound, and whole turns. Both run from a turn's end.
 * Each transaction is small and looks again at what it takes, so that several servers may sweep at once, and be
 * interrupted anywhere.
 */
export class Retention {
  readonly #parts: RetentionParts;

  constructor(parts: RetentionParts) {
    this.#parts = parts;
  }

  /** Resolves to how many conversations, turns and clips went. */
  async sweep(now: Date, signal: AbortSignal): Promise<number> {
    let removed = 0;
    for (const clock of await this.#clocks("textRetentionDays", this.#parts.days.textDays, now)) {
      for await (const conversation of idleConversations(this.#parts.client, clock)) {
        if (signal.aborted) return removed;
        removed += await this.#removeWhole(conversation, clock.cutoff, signal);
      }
      for await (const conversation of conversationsWithOldTurns(this.#parts.client, clock)) {
        if (signal.aborted) return removed;
        removed += await this.#trim(conversation, clock.cutoff, signal);
      }
    }
    for (const clock of await this.#clocks("audioRetentionDays", this.#parts.days.audioDays, now))
      removed += await this.#removeSound(clock, signal);
    await removeFiles(this.#parts, null, signal);
    if (removed > 0) await this.#parts.eraseRemoved();
    return removed;
  }

  /** The server's clock, and one for each number of days that is shorter. */
  async #clocks(
    column: "textRetentionDays" | "audioRetentionDays",
    serverDays: number | null,
    now: Date,
  ): Promise<Clock[]> {
    const cutoff = (days: number) => new Date(now.getTime() - days * dayMs);
    const shorter = { not: null, ...(serverDays === null ? {} : { lt: serverDays }) };
    const own = await this.#parts.client.conversation.groupBy({ by: [column], where: { [column]: shorter } });
    const ownDays = own.map((group) => group[column]).filter((days) => days !== null);
    return [
      ...(serverDays === null ? [] : [{ cutoff: cutoff(serverDays), ownDays: null }]),
      ...ownDays.map((days) => ({ cutoff: cutoff(days), ownDays: days })),
    ];
  }

  /** Batches of its turns first, so that no transaction is long. */
  async #removeWhole(conversation: FoundConversation, cutoff: Date, signal: AbortSignal): Promise<number> {
    const { id, ownerId, tenantId } = conversation;
    const trimmed = await this.#trim(conversation, cutoff, signal);
    if (signal.aborted) return trimmed;
    const deletion = await unlessSpared(
      this.#parts.deletions.deleteConversation(
        { id: ownerId, tenantId },
        id,
        "RETENTION",
        async (transaction) => {
          await spareActive(transaction, id);
          const idle = await transaction.conversation.count({
            where: { id, lastActivityAt: { lt: cutoff } },
          });
          if (idle === 0) throw new Spared();
        },
      ),
    );
    return trimmed + (deletion === null ? 0 : 1);
  }

  async #trim(conversation: FoundConversation, cutoff: Date, signal: AbortSignal): Promise<number> {
    const { client, wakeUps } = this.#parts;
    let removed = 0;
    while (!signal.aborted) {
      const turns = await unlessSpared(trimConversation(client, conversation, cutoff));
      if (turns === null) break;
      wakeUps.publish(`owner ${conversation.ownerId}`);
      removed += turns;
    }
    return removed;
  }

  async #removeSound(clock: Clock, signal: AbortSignal): Promise<number> {
    const { client, wakeUps } = this.#parts;
    let removed = 0;
    for await (const sound of oldSound(client, clock)) {
      if (signal.aborted) return removed;
      const clips = await unlessSpared(removeSound(client, sound, clock.cutoff));
      if (clips === null) continue;
      wakeUps.publish(`owner ${sound.ownerId}`);
      removed += clips;
    }
    return removed;
  }
}
