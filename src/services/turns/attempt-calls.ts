import type { Config } from "../../config/config.js";
import type { TurnRow } from "../../db/rows.js";
import type { RequestPlan } from "../history/types.js";
import { callColumns, interruptedCallColumns, runningCall } from "./call-record.js";
import type { CallColumns, EndedCall, Received } from "./call-record.js";
import { forgetFiltered } from "./forget-filtered.js";
import { LeaseLostError } from "./lease.js";
import type { Fence } from "./lease.js";
import type { ModelTarget } from "./model-target.js";
import { tellStarted } from "./tell-started.js";
import type { TellStartedParts } from "./tell-started.js";

export interface AttemptCallsParts extends TellStartedParts {
  target: ModelTarget;
  prices: Config["prices"];
}

/** The calls of one attempt: what is written when one begins, and what the turn's end is to tell of each. */
export class AttemptCalls {
  readonly #parts: AttemptCallsParts;
  readonly #turn: TurnRow;
  readonly #fence: Fence;
  readonly #paid: CallColumns[] = [];
  /** The call under way, once its request may have left. */
  #running: string | null = null;
  /** The call of a filtered answer, as long as the database may still hold something of it. */
  #filtered: string | null = null;
  /** The write that tells that the turn has started; nothing waits for it but the turn's end. */
  #started: Promise<void> = Promise.resolve();

  constructor(parts: AttemptCallsParts, turn: TurnRow, fence: Fence) {
    this.#parts = parts;
    this.#turn = turn;
    this.#fence = fence;
  }

  /** What was paid so far. */
  get paid(): CallColumns[] {
    return this.#paid;
  }

  /** Resolves when nothing more is being written. */
  settled(): Promise<void> {
    return this.#started;
  }

  /**
   * RUNNING means that the model may have been asked, so it is written before the request leaves.
   * @throws CancelledBeforeCall, LeaseLostError
   */
  async begin(callId: string, plan: RequestPlan, usableRemoved: number): Promise<void> {
    const call = runningCall(callId, plan, this.#parts.target);
    const { count } = await this.#parts.client.turn.updateMany({
      where: { ...this.#fence, activeConversationId: { not: null }, cancelRequestedAt: null },
      data: {
        status: "RUNNING",
        omittedTurns: plan.omittedTurns,
        usableBefore: plan.usableTurns + usableRemoved,
        runningCall: call,
        ...(this.#paid.length === 0 ? { startedAt: new Date() } : {}),
      },
    });
    if (count === 0) throw await this.#whyNotBegun();
    this.#running = call;
    if (this.#paid.length === 0) this.#started = tellStarted(this.#parts, this.#turn);
  }

  /** Of the call under way: its answer is not to be kept. */
  noteFiltered(): void {
    this.#filtered = this.#running;
  }

  end(call: EndedCall): void {
    const { target, prices } = this.#parts;
    this.#paid.push(callColumns(call, target, prices));
    this.#running = null;
  }

  /** A call that this server itself broke off may have been billed. */
  countBroken(received: Received): void {
    if (this.#running === null) return;
    this.#paid.push(interruptedCallColumns(this.#running, received, this.#parts.prices, new Date()));
    this.#running = null;
  }

  /** To be called again where the end of the turn can't be written. What can't be forgotten now goes with the turn's end. */
  async forgetFiltered(): Promise<void> {
    if (this.#filtered === null) return;
    try {
      await forgetFiltered(this.#parts.client, this.#turn, this.#fence, this.#filtered);
      this.#filtered = null;
    } catch (error) {
      this.#parts.logger.warn(
        { err: error, turnId: this.#turn.id },
        "could not forget a filtered answer yet",
      );
    }
  }

  /** Another server may have been asked to cancel the turn before it was begun here. */
  async #whyNotBegun(): Promise<Error> {
    const { client } = this.#parts;
    const where = { ...this.#fence, activeConversationId: { not: null }, cancelRequestedAt: { not: null } };
    return (await client.turn.count({ where })) > 0
      ? new CancelledBeforeCall()
      : new LeaseLostError(`the turn ${this.#turn.id} is no longer run here`);
  }
}

/** A cancellation that came before anything was sent: nothing was received, and nothing is billed. */
export class CancelledBeforeCall extends Error {
  override readonly name = "CancelledBeforeCall";
}
