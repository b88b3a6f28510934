import { setTimeout as sleep } from "node:timers/promises";
import { encodeRequest } from "./body.js";
import type { AnswerChunk } from "./chunk-schema.js";
import { type AnswerState, emptyAnswer, readChunk } from "./chunks.js";
import {
  type TranslatedFailure,
  incompleteFailure,
  readRequestId,
  timedOutFailure,
  translateError,
  translateStreamedError,
} from "./errors.js";
import type { FailureContext } from "./failure-reasons.js";
import {
  type AnswerInterruption,
  CallerFailure,
  StreamedError,
  UnreadableAnswer,
  isAnswerInterruption,
  ofCaller,
  untilStopped,
} from "./interruptions.js";
import { finishReasonOf, isStreamed, judgeAnswer } from "./outcome.js";
import { receiveStream, receiveWhole } from "./receive.js";
import { type RetryPolicy, retryDelayMs } from "./retry.js";
import { CallClock } from "./timers.js";
import type {
  CompletionEnd,
  CompletionOptions,
  CompletionRequest,
  CompletionResult,
  ModelConnection,
  ModelEvent,
} from "./types.js";
import type { Wire } from "./wire.js";

/** Where a repeated request is told. A pino logger is one. */
export interface CallLog {
  warn(fields: Record<string, unknown>, message: string): void;
}

/** What every call of a client shares. */
export interface CallSurroundings {
  connection: ModelConnection;
  wire: Wire;
  log: CallLog;
  retry: RetryPolicy;
  /** Milliseconds since 1970. */
  now: () => number;
  /** In [0, 1). */
  random: () => number;
}

/** A slow uplink is no silent model: sending a body may take a second for each 256 kB before the idle limit counts. */
const sentBytesPerMs = 256;

/** One request and its answer, from sign-in to the last byte. Used once. */
export class CompletionCall {
  readonly #around: CallSurroundings;
  readonly #request: CompletionRequest;
  readonly #options: CompletionOptions;
  readonly #clock: CallClock;
  readonly #streamed: boolean;
  #answer: AnswerState = emptyAnswer;
  #attempts = 0;
  #mayBeBilled = false;
  #providerRequestId: string | null = null;
  #sentAt = 0;
  #timeToFirstAudioMs: number | null = null;

  constructor(around: CallSurroundings, request: CompletionRequest, options: CompletionOptions) {
    const { idleTimeoutMs, totalTimeoutMs } = around.connection;
    this.#around = around;
    this.#request = request;
    this.#options = options;
    this.#streamed = isStreamed(request);
    this.#clock = new CallClock({ signal: options.signal, idleTimeoutMs, totalTimeoutMs });
  }

  async run(): Promise<CompletionResult> {
    try {
      return this.#result(await this.#converse());
    } finally {
      this.#clock.end();
    }
  }

  async #converse(): Promise<CompletionEnd> {
    let response: Response;
    try {
      response = await this.#sendPatiently(await this.#prepare());
    } catch (error) {
      return this.#endWithoutAnswer(error);
    }
    this.#providerRequestId = readRequestId(response.headers);
    try {
      await this.#receive(response);
      return this.#judge(null);
    } catch (error) {
      if (error instanceof CallerFailure) throw error.cause;
      if (isAnswerInterruption(error)) return this.#judge(error);
      throw error;
    }
  }

  async #prepare(): Promise<Uint8Array> {
    const { wire, connection } = this.#around;
    const { signal } = this.#clock;
    await untilStopped(wire.signIn(), signal);
    const encode = () => encodeRequest(this.#request, connection.deployment, signal);
    const body = await untilStopped(ofCaller(encode), signal);
    await ofCaller(async () => this.#options.onBegin?.());
    this.#clock.throwIfStopped();
    return body;
  }

  async #sendPatiently(body: Uint8Array): Promise<Response> {
    for (;;) {
      try {
        return await this.#sendOnce(body);
      } catch (error) {
        const delayMs = this.#delayBeforeNext(error);
        if (delayMs === null) throw error;
        await sleep(delayMs, undefined, { signal: this.#clock.signal });
      }
    }
  }

  async #sendOnce(body: Uint8Array): Promise<Response> {
    this.#attempts += 1;
    this.#mayBeBilled = true;
    this.#sentAt = performance.now();
    // A whole answer is silent until it is made: there only the total limit can tell a stall.
    if (this.#streamed) this.#clock.expectBytes(body.byteLength / sentBytesPerMs);
    try {
      return await untilStopped(this.#around.wire.send(body, this.#clock.signal), this.#clock.signal);
    } finally {
      this.#clock.restIdle();
    }
  }

  #delayBeforeNext(error: unknown): number | null {
    const translated = this.#clock.stopReason === null ? this.#translate(error) : null;
    if (translated === null) return null;
    const { failure, unanswered, providerRequestId } = translated;
    // An error status is no answer: what was refused is not billed.
    this.#mayBeBilled = !unanswered && failure.status === null;
    const failed = { attempt: this.#attempts, unanswered, retryAfterMs: failure.retryAfterMs };
    const { retry, random, log } = this.#around;
    const delayMs = retryDelayMs({ ...failed, remainingMs: this.#clock.remainingMs }, retry, random);
    if (delayMs !== null) {
      const { code, status } = failure;
      log.warn(
        { attempt: this.#attempts, code, status, delayMs, providerRequestId },
        "the model is asked again",
      );
    }
    return delayMs;
  }

  #endWithoutAnswer(error: unknown): CompletionEnd {
    if (error instanceof CallerFailure) throw error.cause;
    const stopped = this.#endOfStop();
    if (stopped !== null) return stopped;
    const translated = this.#translate(error);
    if (translated === null) throw error;
    this.#providerRequestId = translated.providerRequestId;
    return { type: "failed", error: translated.failure };
  }

  #translate(error: unknown): TranslatedFailure | null {
    const context: FailureContext = this.#around.connection;
    return translateError(error, context, this.#around.now());
  }

  async #receive(response: Response): Promise<void> {
    if (!this.#streamed) {
      await this.#take(await receiveWhole(response, this.#clock), 1);
      return;
    }
    for await (const chunk of receiveStream(response, this.#clock)) await this.#take(chunk, 2);
  }

  async #take(chunk: AnswerChunk, frameByteLength: number): Promise<void> {
    const { state, events } = readChunk(this.#answer, chunk, frameByteLength);
    this.#answer = state;
    if (state.finishReason === "content_filter") return;
    for (const event of events) await this.#handOn(event);
  }

  async #handOn(event: ModelEvent): Promise<void> {
    this.#clock.throwIfStopped();
    if (event.type === "audio") this.#timeToFirstAudioMs ??= Math.round(performance.now() - this.#sentAt);
    await ofCaller(() => this.#options.onEvent(event));
    this.#clock.throwIfStopped();
  }

  /** `interruption` is what ended the reading; null where the answer ended by itself. */
  #judge(interruption: AnswerInterruption | null): CompletionEnd {
    const verdict = judgeAnswer(this.#answer, this.#request);
    if (verdict.type === "filtered") return verdict;
    const stopped = interruption === null ? null : this.#endOfStop();
    if (stopped?.type === "cancelled") return stopped;
    if (interruption instanceof StreamedError) return endOfStreamedError(interruption);
    // What had come to its end before the connection broke or a limit was reached, is whole.
    if (verdict.type === "complete") return verdict;
    if (stopped !== null) return stopped;
    const message = interruption instanceof UnreadableAnswer ? interruption.message : verdict.message;
    return { type: "failed", error: incompleteFailure(message) };
  }

  #endOfStop(): CompletionEnd | null {
    const { idleTimeoutMs, totalTimeoutMs } = this.#around.connection;
    const reason = this.#clock.stopReason;
    if (reason === null) return null;
    if (reason === "cancelled") return { type: "cancelled" };
    return {
      type: "failed",
      error: timedOutFailure(reason, reason === "idle" ? idleTimeoutMs : totalTimeoutMs),
    };
  }

  #result(end: CompletionEnd): CompletionResult {
    const { model, completionId, providerAudioId, providerAudioExpiresAt, usage } = this.#answer;
    return {
      end,
      model,
      completionId,
      providerAudioId,
      providerAudioExpiresAt,
      usage,
      providerRequestId: this.#providerRequestId,
      finishReason: finishReasonOf(this.#answer, end.type === "complete", this.#request.maxTokens),
      timeToFirstAudioMs: this.#timeToFirstAudioMs,
      attempts: this.#attempts,
      mayBeBilled: this.#mayBeBilled,
    };
  }
}

function endOfStreamedError(error: StreamedError): CompletionEnd {
  const failure = translateStreamedError(error.detail);
  return failure.code === "CONTENT_FILTERED" ? { type: "filtered" } : { type: "failed", error: failure };
}
