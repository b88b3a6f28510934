import type { Database } from "../../db/database.js";
import type { Prices } from "../../config/prices.js";
import type { TurnRow } from "../../db/rows.js";
import type { Logger } from "../../logger.js";
import { interruptedCallColumns } from "./call-record.js";
import { interrupted } from "./end-of-call.js";
import { endColumns, touchConversation } from "./finish.js";
import { LeaseLostError } from "./lease.js";
import type { TurnEnds } from "./turn-ends.js";

export interface TurnRecoveryParts {
  database: Database;
  ends: TurnEnds;
  logger: Logger;
  leaseMs: number;
  isRunningHere: (turnId: string) => boolean;
  prices: Prices;
}

/** Which active turns nobody runs any more. */
type LeaseCondition =
  { leaseExpiresAt: { lt: Date } } | { OR: [{ leaseOwner: null }, { leaseOwner: { not: string } }] };

/** At most this many turns are ended in one go. */
const batchSize = 100;

/** Finds turns whose process died and ends them as FAILED, INTERRUPTED, so that their conversations can go on. */
export class TurnRecovery {
  readonly #parts: TurnRecoveryParts;
  #timer: NodeJS.Timeout | null = null;
  #sweep: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(parts: TurnRecoveryParts) {
    this.#parts = parts;
  }

  /**
   * Recovers once, then now and then until it is closed. A SQLite database has one server, so whatever another owner
   * than `serverId` left active is over; on Postgres another server may still run it, until its lease has run out.
   */
  async start(serverId: string): Promise<void> {
    const isLeft: LeaseCondition =
      this.#parts.database.kind === "sqlite"
        ? { OR: [{ leaseOwner: null }, { leaseOwner: { not: serverId } }] }
        : leaseOver();
    await this.#recover(isLeft);
    this.#schedule();
  }

  async close(): Promise<void> {
    this.#closed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    await this.#sweep;
  }

  /** Servers that started together don't look at the same moment. */
  #schedule(): void {
    if (this.#closed) return;
    const delayMs = this.#parts.leaseMs * (0.5 + Math.random());
    this.#timer = setTimeout(() => {
      this.#sweep = this.#recover(leaseOver())
        .catch((error: unknown) =>
          this.#parts.logger.warn({ err: error }, "could not look for turns left behind"),
        )
        .finally(() => this.#schedule());
    }, delayMs);
    this.#timer.unref();
  }

  async #recover(isLeft: LeaseCondition): Promise<void> {
    const { client } = this.#parts.database;
    const left = await client.turn.findMany({
      where: { status: { in: ["QUEUED", "RUNNING"] }, ...isLeft },
      take: batchSize,
    });
    let ended = 0;
    for (const turn of left) {
      // A process that was stopped for a while is still the one that runs it; it renews its lease itself.
      if (this.#parts.isRunningHere(turn.id)) continue;
      ended += 1;
      if (await this.#end(turn))
        this.#parts.logger.warn({ turnId: turn.id }, "ended a turn whose server went away");
      this.#parts.ends.announce(turn.id, null);
    }
    if (ended === batchSize) await this.#recover(isLeft);
  }

  /** Answers whether it was this server that ended the turn. */
  async #end(turn: TurnRow): Promise<boolean> {
    try {
      await this.#write(turn);
      return true;
    } catch (error) {
      if (error instanceof LeaseLostError) return false;
      throw error;
    }
  }

  #write(turn: TurnRow): Promise<void> {
    const { id, attempt, leaseOwner, leaseExpiresAt, ownerId, conversationId, runningCall } = turn;
    const endedAt = new Date();
    return this.#parts.database.client.$transaction(async (transaction) => {
      await touchConversation(transaction, turn, endedAt);
      const { count } = await transaction.turn.updateMany({
        // The lease as it was read: one that was renewed or taken over since then is left alone.
        where: { id, attempt, leaseOwner, leaseExpiresAt, activeConversationId: { not: null } },
        data: { ...endColumns({ status: "FAILED", error: interrupted }), endedAt },
      });
      if (count === 0) throw new LeaseLostError(`the turn ${id} was taken over`);
      if (runningCall !== null) {
        const call = interruptedCallColumns(runningCall, this.#parts.prices, endedAt);
        await transaction.modelCall.create({
          data: { ...call, ownerId, conversationId, turnId: id, attempt },
        });
      }
    });
  }
}

/** Servers that share a database have the same time, give or take less than a lease. */
function leaseOver(): LeaseCondition {
  return { leaseExpiresAt: { lt: new Date() } };
}
