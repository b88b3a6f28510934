import type { DatabaseClient } from "../../db/database.js";
import type { ConversationEventRow } from "../../db/rows.js";
import { Waiters } from "./waiters.js";

/** Of the newest events; who is further behind reads the log. */
const maxRecent = 256;
const pageSize = 100;

/** The events of one owner's conversations as this server knows them, shared by all who listen to them here. */
export class OwnerFeed {
  readonly #client: DatabaseClient;
  readonly #ownerId: string;
  readonly #waiters = new Waiters();
  #recent: ConversationEventRow[] = [];
  #head: bigint | null = null;
  /** Everything behind it is in `#recent`. */
  #floor = 0n;
  #reading: Promise<void> | null = null;
  #stale = false;
  listeners = 0;

  constructor(client: DatabaseClient, ownerId: string) {
    this.#client = client;
    this.#ownerId = ownerId;
  }

  /** The sequence up to which all events are known here. */
  get head(): bigint {
    return this.#head ?? 0n;
  }

  /** The events behind the sequence, where all of them are at hand; null where the log has to be read. */
  recentAfter(sequence: bigint): ConversationEventRow[] | null {
    return sequence < this.#floor ? null : this.#recent.filter((event) => event.sequence > sequence);
  }

  /** Resolves once everything is known that was written before the call. Rejects where it can't be read. */
  async refresh(): Promise<void> {
    this.#stale = true;
    // Who reads now reads once more, because what it has read may be older than the call.
    this.#reading ??= this.#readOn();
    await this.#reading;
  }

  /** Resolves at the next change, or when the signal is aborted. */
  changed(signal: AbortSignal): Promise<void> {
    return this.#waiters.wait(signal);
  }

  async #readOn(): Promise<void> {
    try {
      while (this.#stale) {
        this.#stale = false;
        if (this.#head === null) await this.#begin();
        else await this.#readBehind(this.#head);
      }
    } finally {
      this.#reading = null;
    }
  }

  /** What was before the first listener came is left in the log. */
  async #begin(): Promise<void> {
    const counter = await this.#client.eventCounter.findUnique({ where: { ownerId: this.#ownerId } });
    this.#head = this.#floor = counter?.sequence ?? 0n;
  }

  async #readBehind(head: bigint): Promise<void> {
    const events = await this.#client.conversationEvent.findMany({
      where: { sequence: { gt: head } },
      orderBy: { sequence: "asc" },
      take: pageSize,
    });
    const last = events.at(-1);
    if (last === undefined) return;
    this.#head = last.sequence;
    this.#recent.push(...events);
    const dropped = this.#recent.splice(0, Math.max(0, this.#recent.length - maxRecent)).at(-1);
    this.#floor = dropped?.sequence ?? this.#floor;
    this.#stale ||= events.length === pageSize;
    this.#waiters.wake();
  }
}
