import { setTimeout as delay } from "node:timers/promises";
import type { TurnRow } from "../../db/rows.js";
import { ParleyError } from "../../errors.js";
import { Attempt } from "./attempt.js";
import type { AcceptedTurn, AttemptParts } from "./attempt.js";
import { CallsToWrite } from "./calls-to-write.js";
import { internalFailure } from "./end-of-call.js";
import type { StopReason } from "./end-of-call.js";
import type { FairQueueBounds } from "./fair-queue.js";
import type { Outcome } from "./finish.js";
import { LeaseLostError, fenceOf } from "./lease.js";
import type { Fence, Lease } from "./lease.js";
import type { Question } from "./question.js";
import type { PaidCallsParts } from "./paid-calls.js";
import { RunningPlaces } from "./running-places.js";
import { endWhileQueued, giveBack } from "./stop-while-queued.js";
import type { TurnEnds } from "./turn-ends.js";
import { writeEnd } from "./write-end.js";

export interface TurnRunnerParts extends AttemptParts, PaidCallsParts {
  ends: TurnEnds;
  /** Names this process among those that share the database. */
  serverId: string;
  leaseMs: number;
  bounds: FairQueueBounds;
}

interface Run {
  conversationId: string;
  controller: AbortController;
  stopReason: StopReason;
  /** No place is free for it yet. */
  waiting: boolean;
  /** Its lease could not be renewed when it was time. */
  unrenewed: boolean;
  done: Promise<void>;
}

/** Runs turns in this process, each to its end, whatever becomes of the request that added it. */
export class TurnRunner {
  readonly #parts: TurnRunnerParts;
  readonly #runs = new Map<string, Run>();
  readonly #calls: CallsToWrite;
  readonly #places: RunningPlaces;
  #closing = false;

  constructor(parts: TurnRunnerParts) {
    this.#parts = parts;
    this.#calls = new CallsToWrite(parts);
    this.#places = new RunningPlaces(parts.bounds);
  }

  newLease(): Lease {
    return { owner: this.#parts.serverId, expiresAt: new Date(Date.now() + this.#parts.leaseMs) };
  }

  /** @throws ParleyError SERVER_SHUTTING_DOWN */
  refuseWhenClosing(): void {
    if (!this.#closing) return;
    throw new ParleyError("SERVER_SHUTTING_DOWN", "This server is shutting down. Try again in a moment.", {
      retryable: true,
    });
  }

  /** Runs a turn that this server has just leased, as soon as there is a place for it. Returns at once. */
  start(turn: TurnRow, question: Question, lease: Lease): void {
    const controller = new AbortController();
    const run: Run = {
      conversationId: turn.conversationId,
      controller,
      stopReason: "cancelled",
      waiting: true,
      unrenewed: false,
      done: Promise.resolve(),
    };
    this.#runs.set(turn.id, run);
    if (this.#closing) this.#stop(run, "shutdown");
    run.done = this.#run({ turn, question, fence: fenceOf(turn, lease) }, run);
  }

  get isClosing(): boolean {
    return this.#closing;
  }

  /** Whether this server has it, waiting or running. */
  isRunning(turnId: string): boolean {
    return this.#runs.has(turnId);
  }

  /** Stops a turn that runs here; does nothing for any other. */
  cancel(turnId: string): void {
    const run = this.#runs.get(turnId);
    if (run !== undefined) this.#stop(run, "cancelled");
  }

  /** Stops what runs here for a conversation; resolves when that has ended. */
  async cancelConversation(conversationId: string): Promise<void> {
    const runs = [...this.#runs.values()].filter((run) => run.conversationId === conversationId);
    for (const run of runs) this.#stop(run, "cancelled");
    await Promise.all(runs.map((run) => run.done));
  }

  /**
   * Accepts nothing more and gives back what waits; gives what runs `graceMs` to end, then stops it: those turns end
   * INTERRUPTED.
   */
  async close(graceMs: number): Promise<void> {
    this.#closing = true;
    for (const run of this.#runs.values()) if (run.waiting) this.#stop(run, "shutdown");
    if (this.#runs.size > 0)
      this.#parts.logger.info({ turns: this.#runs.size, graceMs }, "waiting for running turns to end");
    const all = () => Promise.all([...this.#runs.values()].map((run) => run.done));
    const grace = new AbortController();
    await Promise.race([all(), delay(graceMs, undefined, { signal: grace.signal }).catch(() => undefined)]);
    grace.abort();
    for (const run of this.#runs.values()) this.#stop(run, "shutdown");
    await all();
    await this.#calls.close();
  }

  /** The first reason stays: a turn that was cancelled is cancelled, also when the server shuts down right after. */
  #stop(run: Run, reason: StopReason): void {
    if (run.controller.signal.aborted) return;
    run.stopReason = reason;
    run.controller.abort();
  }

  async #run(accepted: AcceptedTurn, run: Run): Promise<void> {
    const { turn, fence } = accepted;
    const renewal = setInterval(() => void this.#renew(fence, run), Math.ceil(this.#parts.leaseMs / 3));
    const stopListening = this.#parts.wakeUps.listen(`cancel ${turn.id}`, () => void this.#look(fence, run));
    let ended: TurnRow | null = null;
    try {
      ended = await this.#runInPlace(accepted, run);
    } catch (error) {
      this.#parts.logger.error(
        { err: error, turnId: turn.id },
        "could not write the end of a turn; it will be ended as INTERRUPTED",
      );
    } finally {
      clearInterval(renewal);
      stopListening();
      // A retry may have taken its place, where another server had ended this attempt.
      if (this.#runs.get(turn.id) === run) this.#runs.delete(turn.id);
      this.#parts.ends.announce(turn, ended);
    }
  }

  /** Resolves to the turn at its end; null where it is no longer run here, or was given back. */
  async #runInPlace(accepted: AcceptedTurn, run: Run): Promise<TurnRow | null> {
    const freePlace = await this.#places.take(accepted.turn.ownerId, run.controller.signal);
    run.waiting = freePlace === null;
    try {
      if (run.waiting && run.stopReason === "shutdown") return await giveBack(this.#parts, accepted.fence);
      return await this.#runToEnd(accepted, run);
    } finally {
      freePlace?.();
    }
  }

  async #runToEnd(accepted: AcceptedTurn, run: Run): Promise<TurnRow | null> {
    const { turn } = accepted;
    const attempt = new Attempt(this.#parts, accepted, run.controller.signal);
    try {
      const outcome = await this.#outcomeOf(attempt, turn, run);
      return await writeEnd(this.#parts, accepted, attempt, outcome);
    } catch (error) {
      if (error instanceof LeaseLostError) return this.#lost(turn, attempt);
      // Who ends the turn instead could only estimate them.
      await this.#calls.add(turn, attempt.calls);
      throw error;
    }
  }

  async #outcomeOf(attempt: Attempt, turn: TurnRow, run: Run): Promise<Outcome> {
    try {
      if (run.waiting) return attempt.withoutAnswer(endWhileQueued(run.stopReason));
      return await attempt.run(() => run.stopReason);
    } catch (error) {
      if (error instanceof LeaseLostError) throw error;
      this.#parts.logger.error({ err: error, turnId: turn.id }, "a turn failed by a fault of the server");
      const end = { status: "FAILED", error: internalFailure } as const;
      return attempt.withoutAnswer(end);
    }
  }

  async #lost(turn: TurnRow, attempt: Attempt): Promise<null> {
    this.#parts.logger.warn(
      { turnId: turn.id },
      "a turn was deleted or taken over while it ran; its answer is dropped",
    );
    await this.#calls.add(turn, attempt.calls);
    return null;
  }

  /** Renews the lease, and looks whether the turn is still to be run. */
  async #renew(fence: Fence, run: Run): Promise<void> {
    try {
      const [renewed] = await this.#parts.client.turn.updateManyAndReturn({
        where: whileRun(fence),
        data: { leaseExpiresAt: this.newLease().expiresAt },
        select: { cancelRequestedAt: true },
      });
      run.unrenewed = false;
      this.#heed(renewed ?? null, fence, run);
    } catch (error) {
      run.unrenewed = true;
      this.#parts.logger.warn({ err: error, turnId: fence.id }, "could not renew the lease of a turn");
    }
  }

  /** Looks whether the turn is still to be run. Often, so that it writes nothing but a renewal that is overdue. */
  async #look(fence: Fence, run: Run): Promise<void> {
    if (run.unrenewed) return this.#renew(fence, run);
    try {
      const found = await this.#parts.client.turn.findFirst({
        where: whileRun(fence),
        select: { cancelRequestedAt: true },
      });
      this.#heed(found, fence, run);
    } catch (error) {
      this.#parts.logger.warn(
        { err: error, turnId: fence.id },
        "could not look whether a turn was cancelled",
      );
    }
  }

  #heed(found: Pick<TurnRow, "cancelRequestedAt"> | null, fence: Fence, run: Run): void {
    if (found === null && this.isRunning(fence.id)) this.#stop(run, "lease-lost");
    // Another server was asked to cancel it.
    if (found?.cancelRequestedAt != null) this.#stop(run, "cancelled");
  }
}

function whileRun(fence: Fence) {
  return { ...fence, activeConversationId: { not: null } };
}
