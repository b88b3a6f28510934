import type { Database } from "../../db/database.js";
import type { Prices } from "../../config/prices.js";
import type { TurnRow } from "../../db/rows.js";
import type { Budgets } from "../budgets/budgets.js";
import type { Logger } from "../../logger.js";
import type { AudioStore } from "../../storage/audio-store.js";
import { asUnsalvaged, interruptedCallColumns, isFiltered, unsalvagedSince } from "./call-record.js";
import { answerFiltered, interrupted } from "./end-of-call.js";
import { finishTurn } from "./finish.js";
import type { TurnEnd } from "./finish.js";
import { forgetAnswer } from "./forget-answer.js";
import { LeaseLostError, fenceOf } from "./lease.js";
import type { Fence } from "./lease.js";
import type { ModelTarget } from "./model-target.js";
import { readQuestion } from "./question.js";
import type { TurnRunner } from "./runner.js";
import { salvageAnswer } from "./salvage.js";
import type { Salvage } from "./salvage.js";
import type { TurnEnds } from "./turn-ends.js";

export interface TurnRecoveryParts {
  database: Database;
  store: AudioStore;
  runner: TurnRunner;
  ends: TurnEnds;
  logger: Logger;
  target: ModelTarget;
  leaseMs: number;
  prices: Prices;
  budgets: Budgets | null;
}

/** Which active turns nobody runs any more. */
type LeaseCondition =
  { leaseExpiresAt: { lt: Date } } | { OR: [{ leaseOwner: null }, { leaseOwner: { not: string } }] };

/** For so many leases a turn waits for sound that can't be made whole now; then its words are kept alone. */
const salvageLeases = 5;

/** At most this many turns are read in one go. */
const batchSize = 100;

/**
 * Finds turns whose server died, so that their conversations can go on. One whose call had not begun is run here. One
 * whose call had begun may have been billed, so it is not called again by itself: it ends as FAILED, INTERRUPTED, with
 * what was received kept. See docs/reliability.md.
 */
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
   * than this server left active is over; on Postgres another server may still run it, until its lease has run out.
   */
  async start(): Promise<void> {
    const isLeft: LeaseCondition =
      this.#parts.database.kind === "sqlite"
        ? { OR: [{ leaseOwner: null }, { leaseOwner: { not: this.#parts.runner.newLease().owner } }] }
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
      orderBy: { leaseExpiresAt: "asc" },
      take: batchSize,
    });
    let recovered = 0;
    for (const turn of left) {
      // A process that was stopped for a while is still the one that runs it; it renews its lease itself.
      if (this.#closed || this.#parts.runner.isRunning(turn.id)) continue;
      if (await this.#recoverOne(turn)) recovered += 1;
    }
    if (recovered === batchSize && !this.#parts.runner.isClosing) await this.#recover(isLeft);
  }

  /** Answers whether the turn is out of the way. One that can't be recovered now is looked at again later. */
  async #recoverOne(turn: TurnRow): Promise<boolean> {
    try {
      if (turn.status === "QUEUED" && turn.cancelRequestedAt === null) await this.#run(turn);
      else await this.#end(turn);
      return true;
    } catch (error) {
      // Another server was first, or its own goes on.
      if (error instanceof LeaseLostError) return true;
      this.#parts.logger.error({ err: error, turnId: turn.id }, "could not recover a turn; trying again");
      return false;
    }
  }

  async #run(turn: TurnRow): Promise<void> {
    const { runner, logger, database } = this.#parts;
    if (runner.isClosing) return;
    const lease = runner.newLease();
    const { taken, question } = await database.client.$transaction(async (transaction) => {
      const [taken] = await transaction.turn.updateManyAndReturn({
        where: { ...asItWasRead(turn), status: "QUEUED" },
        data: { leaseOwner: lease.owner, leaseExpiresAt: lease.expiresAt },
      });
      if (taken === undefined) throw new LeaseLostError(`the turn ${turn.id} was taken over`);
      const { conversationId: id } = taken;
      const conversation = await transaction.conversation.findUniqueOrThrow({ where: { id } });
      return { taken, question: await readQuestion(transaction, taken, conversation) };
    });
    logger.warn({ turnId: turn.id }, "runs a turn whose server went away before it was begun");
    runner.start(taken, question, lease);
  }

  async #end(turn: TurnRow): Promise<void> {
    const { database, store, target, prices, budgets, ends, logger } = this.#parts;
    const { claimed, fence } = await this.#claim(turn);
    const { runningCall } = claimed;
    const end = endOf(claimed);
    const salvage = await salvageAnswer(database.client, store, claimed, target);
    if (salvage.failure !== null) await this.#dropSound(claimed, fence, salvage);
    const { answer, grown, received } = salvage;
    const calls =
      runningCall === null ? [] : [interruptedCallColumns(runningCall, received, prices, new Date())];
    const outcome = { end, answer, grown, calls, model: null };
    const { client } = database;
    const ended = await finishTurn({ client, budgets }, turn, fence, outcome).catch(
      async (error: unknown) => {
        // A deletion of the conversation may have looked for its sound before this one had its name.
        if (error instanceof LeaseLostError) await forgetAnswer({ client, store, logger }, salvage.answer);
        throw error;
      },
    );
    logger.warn({ turnId: turn.id, status: end.status }, "ended a turn whose server went away");
    ends.announce(turn, ended);
    if (salvage.storageKey !== null && salvage.failure === null) await store.deleteDraft(salvage.storageKey);
  }

  /**
   * The conversation must go on, so that sound that can't be made whole is waited for only so long, whoever waits, and
   * not at all where the turn was cancelled. Throws the failure as long as it is to be tried again.
   */
  async #dropSound(turn: TurnRow, fence: Fence, { failure, storageKey }: Salvage): Promise<void> {
    const { runningCall, cancelRequestedAt } = turn;
    if (runningCall !== null && cancelRequestedAt === null) {
      const since = unsalvagedSince(runningCall);
      if (since === null) {
        const data = { runningCall: asUnsalvaged(runningCall, new Date()) };
        await this.#parts.database.client.turn.updateMany({ where: fence, data });
      }
      if (since === null || Date.now() - since.getTime() < salvageLeases * this.#parts.leaseMs) throw failure;
    }
    this.#parts.logger.error(
      { err: failure, turnId: turn.id, storageKey },
      "the sound of an interrupted answer could not be made whole; its words are kept alone. " +
        "What was received is in the store's drafts until the sweep removes it: copy it now if it is wanted",
    );
  }

  /** Before anything of the turn is touched: its old server, which may only have seemed dead, writes nothing more from here on. */
  async #claim(turn: TurnRow): Promise<{ claimed: TurnRow; fence: Fence }> {
    const lease = this.#parts.runner.newLease();
    const [claimed] = await this.#parts.database.client.turn.updateManyAndReturn({
      where: { ...asItWasRead(turn), activeConversationId: { not: null } },
      data: { leaseOwner: lease.owner, leaseExpiresAt: lease.expiresAt },
    });
    if (claimed === undefined) throw new LeaseLostError(`the turn ${turn.id} was taken over`);
    return { claimed, fence: fenceOf(claimed, lease) };
  }
}

/** What becomes of a turn whose call nobody follows any more. */
function endOf({ runningCall, cancelRequestedAt }: TurnRow): TurnEnd {
  if (isFiltered(runningCall)) return { status: "FAILED", error: answerFiltered };
  return cancelRequestedAt === null ? { status: "FAILED", error: interrupted } : { status: "CANCELLED" };
}

/** The lease as it was read: one that was renewed or taken over since then is left alone. */
function asItWasRead({ id, attempt, leaseOwner, leaseExpiresAt }: TurnRow) {
  return { id, attempt, leaseOwner, leaseExpiresAt };
}

/** Servers that share a database have the same time, give or take less than a lease. */
function leaseOver(): LeaseCondition {
  return { leaseExpiresAt: { lt: new Date() } };
}
