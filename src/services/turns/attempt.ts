import type { CompletionClient, CompletionResult } from "../../azure/types.js";
import type { Config } from "../../config/config.js";
import type { DatabaseClient } from "../../db/database.js";
import type { TurnRow } from "../../db/rows.js";
import { newId } from "../../ids.js";
import { AnswerLog } from "../live/answer-log.js";
import type { AnswerLogParts } from "../live/answer-log.js";
import type { WakeUps } from "../live/wake-ups.js";
import type { Logger } from "../../logger.js";
import type { AudioStore } from "../../storage/audio-store.js";
import { planRequest } from "../history/plan-request.js";
import type { RequestFacts, RequestPlan } from "../history/types.js";
import { Answer } from "./answer.js";
import { AttemptCalls, CancelledBeforeCall } from "./attempt-calls.js";
import { internalFailure, isUnknownAudioId, toTurnEnd } from "./end-of-call.js";
import type { StopReason } from "./end-of-call.js";
import type { KeptAnswer, Outcome, TurnEnd } from "./finish.js";
import { keepAnswer } from "./keep-answer.js";
import { LeaseLostError } from "./lease.js";
import type { Fence } from "./lease.js";
import type { Question } from "./question.js";
import type { ModelTarget } from "./model-target.js";
import { toCompletionRequest } from "./model-request.js";
import { replyOf } from "./reply.js";
import { readRequestFacts } from "./request-facts.js";

export interface AttemptParts {
  client: DatabaseClient;
  store: AudioStore;
  model: CompletionClient;
  target: ModelTarget;
  history: Config["history"];
  /** Null: an answer may be as long as the model wants it. */
  maxReplyTokens: number | null;
  prices: Config["prices"];
  logger: Logger;
  log: AnswerLogParts;
  wakeUps: WakeUps;
}

/** A turn that this server has accepted and leased. */
export interface AcceptedTurn {
  turn: TurnRow;
  question: Question;
  fence: Fence;
}

/** One attempt to answer a turn: reads, asks the model, keeps what comes. No transaction is open in between. */
export class Attempt {
  readonly #parts: AttemptParts;
  readonly #turn: TurnRow;
  readonly #question: Question;
  readonly #fence: Fence;
  readonly #signal: AbortSignal;
  readonly #calls: AttemptCalls;
  /** Whether there are rows of an answer from the time when it grew. */
  #grown = false;

  constructor(parts: AttemptParts, { turn, question, fence }: AcceptedTurn, signal: AbortSignal) {
    this.#parts = parts;
    this.#turn = turn;
    this.#question = question;
    this.#fence = fence;
    this.#signal = signal;
    this.#calls = new AttemptCalls(parts, turn, fence);
  }

  /** What was paid so far, also when `run` rejects. */
  get calls(): Outcome["calls"] {
    return this.#calls.paid;
  }

  /** The end of an attempt of which no answer is kept. */
  withoutAnswer(end: TurnEnd): Outcome {
    return { end, answer: null, grown: this.#grown, calls: this.calls, model: null };
  }

  /** Resolves to what is to be written; rejects where the server itself is at fault. `stopReason` is asked when the signal was aborted. */
  async run(stopReason: () => StopReason): Promise<Outcome> {
    try {
      return await this.#ask(stopReason);
    } catch (error) {
      if (error instanceof CancelledBeforeCall) return this.withoutAnswer({ status: "CANCELLED" });
      throw error;
    } finally {
      await this.#calls.settled();
    }
  }

  async #ask(stopReason: () => StopReason): Promise<Outcome> {
    const facts = await readRequestFacts(this.#parts.client, this.#turn, this.#question, this.#parts);
    const { plan, lostSound } = await this.#planWithSoundThatIsThere(facts);
    const first = await this.#call(plan);
    if (!isUnknownAudioId(first.result)) return this.#outcome(first, stopReason);
    await first.answer.discard();
    await this.#markDead(first.plan);
    const second = await this.#call(planRequest({ ...facts, lostSound, withoutAudioIds: true }));
    return this.#outcome(second, stopReason);
  }

  /** A file that was lost, by a restored backup say, must not end every later turn of its conversation. */
  async #planWithSoundThatIsThere(facts: RequestFacts) {
    const { store, logger } = this.#parts;
    const lostSound = new Set<string>();
    for (;;) {
      const plan = planRequest({ ...facts, lostSound });
      const keys: string[] = [];
      for (const key of earlierSound(plan)) if ((await store.size(key)) === null) keys.push(key);
      if (keys.length === 0) return { plan, lostSound };
      logger.warn({ turnId: this.#turn.id, keys }, "earlier sound is lost; its words are sent instead");
      for (const key of keys) lostSound.add(key);
    }
  }

  async #call(plan: RequestPlan): Promise<Call> {
    const { model, store, maxReplyTokens } = this.#parts;
    const reply = replyOf(this.#turn);
    const request = toCompletionRequest(plan, reply, store, maxReplyTokens);
    const log = new AnswerLog(this.#parts.log, this.#turn, this.#fence, reply.format);
    const answer = new Answer(store, reply.sound ? reply.format : null, log);
    const startedAt = new Date();
    const id = newId("call");
    try {
      const result = await model.complete(request, {
        signal: this.#signal,
        onBegin: async () => {
          await this.#calls.begin(id, plan, this.#question.usableRemoved);
          answer.prepare();
        },
        onEvent: (event) => answer.add(event),
      });
      // Nothing of a filtered answer is written once that is known.
      await Promise.all([result.end.type === "filtered" ? log.drop() : log.close(), answer.settle()]);
      this.#grown ||= log.begun;
      if (result.end.type === "filtered") this.#calls.noteFiltered();
      await this.#calls.forgetFiltered();
      const endedAt = new Date();
      const soundMs = await answer.soundMs().catch(() => null);
      this.#calls.end({ id, plan, result, startedAt, endedAt, ...answer.received(soundMs) });
      return { plan, result, answer, soundMs };
    } catch (error) {
      await log.drop();
      this.#grown ||= log.begun;
      this.#calls.countBroken(answer.received(await answer.soundMs().catch(() => null)));
      await this.#giveUp(answer, error);
      throw error;
    }
  }

  /** To be called again where the end of the turn can't be written. */
  forgetFiltered(): Promise<void> {
    return this.#calls.forgetFiltered();
  }

  async #markDead(plan: RequestPlan): Promise<void> {
    const ids = plan.messages.flatMap((message) => ("clipId" in message ? [message.clipId] : []));
    await this.#parts.client.audioClip.updateMany({
      where: { id: { in: ids } },
      data: { providerAudioDeadAt: new Date() },
    });
  }

  async #outcome({ result, answer, soundMs }: Call, stopReason: () => StopReason): Promise<Outcome> {
    const end = await this.#endOf(result, answer, stopReason);
    const filtered = end.status === "FAILED" && end.error.code === "CONTENT_FILTERED";
    const outcome = { end, calls: this.calls, model: result.model, grown: answer.log.begun };
    if (filtered) await answer.discard();
    if (filtered || (answer.isEmpty() && answer.failure === null)) return { ...outcome, answer: null };
    const kept = await this.#keep(answer, result, soundMs);
    if (answer.failure === null) return { ...outcome, answer: kept };
    const { logger } = this.#parts;
    logger.error({ err: answer.failure, turnId: this.#turn.id }, "the sound of an answer could not be kept");
    return { ...outcome, end: { status: "FAILED", error: internalFailure }, answer: kept };
  }

  async #endOf(result: CompletionResult, answer: Answer, stopReason: () => StopReason): Promise<TurnEnd> {
    try {
      return toTurnEnd(result, answer.isEmpty(), stopReason);
    } catch (error) {
      await this.#giveUp(answer, error);
      throw error;
    }
  }

  /** Who has taken the turn over may be about to make the draft whole, and removes it afterwards. */
  async #giveUp(answer: Answer, reason: unknown): Promise<void> {
    const isTakenOver = reason instanceof LeaseLostError && (await this.#isThere());
    await (isTakenOver ? answer.leave() : answer.discard());
  }

  async #isThere(): Promise<boolean> {
    const there = this.#parts.client.turn.count({ where: { id: this.#turn.id } });
    return there.then((count) => count > 0).catch(() => true);
  }

  /** Null where the sound could not be kept and there are no words. */
  #keep(answer: Answer, result: CompletionResult, soundMs: number | null): Promise<KeptAnswer | null> {
    return keepAnswer(answer, {
      format: replyOf(this.#turn).format,
      durationMs: soundMs,
      providerAudioId: result.providerAudioId,
      providerAudioExpiresAt: result.providerAudioExpiresAt,
      target: this.#parts.target,
    });
  }
}

/** The keys of the user sound that a request sends again: all but that of its last message, which is new. */
function earlierSound({ messages }: RequestPlan): string[] {
  const earlier = messages.slice(0, -1);
  return earlier.flatMap((message) =>
    message.role === "user" && message.sound !== null ? [message.sound.storageKey] : [],
  );
}

interface Call {
  plan: RequestPlan;
  result: CompletionResult;
  answer: Answer;
  soundMs: number | null;
}
