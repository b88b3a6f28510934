import { z } from "zod";
import type { CompletionResult, TokenUsage } from "../../azure/types.js";
import type { Prices } from "../../config/prices.js";
import { assistantSoundTokens, textTokens } from "../history/estimate.js";
import type { RequestPlan } from "../history/types.js";
import { costOfCall, noTokens } from "../usage/usage.js";
import type { ModelTarget } from "./model-target.js";

/** What came of an answer, whether it is kept or not. */
export interface Received {
  receivedText: string;
  receivedAudioMs: number;
}

/** A call to the model that has ended, with what it received. */
export interface EndedCall extends Received {
  id: string;
  plan: RequestPlan;
  result: CompletionResult;
  startedAt: Date;
  endedAt: Date;
}

const callFactsSchema = z.object({
  id: z.string(),
  endpoint: z.string(),
  deployment: z.string(),
  apiVersion: z.string(),
  startedAt: z.iso.datetime().transform((text) => new Date(text)),
  inputTextTokens: z.int(),
  inputAudioTokens: z.int(),
});

/** With what was noted since for whoever ends the turn. */
const runningCallSchema = callFactsSchema.extend({
  /** Whether the provider's filter has stopped the answer: nothing of it is kept then, whoever ends the turn. */
  filtered: z.boolean().default(false),
  /** When it was first tried in vain to make the sound of its answer whole. */
  unsalvagedSince: z.iso.datetime().optional(),
});

function noted(runningCall: string, notes: { filtered?: boolean; unsalvagedSince?: string }): string {
  return JSON.stringify({ ...runningCallSchema.parse(JSON.parse(runningCall)), ...notes });
}

/** The running call of a turn whose answer turned out to be filtered. */
export function asFiltered(runningCall: string): string {
  return noted(runningCall, { filtered: true });
}

export function isFiltered(runningCall: string | null): boolean {
  return runningCall !== null && runningCallSchema.parse(JSON.parse(runningCall)).filtered;
}

export function asUnsalvaged(runningCall: string, since: Date): string {
  return noted(runningCall, { unsalvagedSince: since.toISOString() });
}

/** Null where nothing was tried in vain. */
export function unsalvagedSince(runningCall: string): Date | null {
  const { unsalvagedSince: since } = runningCallSchema.parse(JSON.parse(runningCall));
  return since === undefined ? null : new Date(since);
}

/** What is known of a call before it is answered, for the turn's row: the server may die before it can tell more. */
export function runningCall(id: string, plan: RequestPlan, target: ModelTarget): string {
  const { endpoint, deployment, apiVersion } = target;
  const { textTokens: inputTextTokens, audioTokens: inputAudioTokens } = plan.estimate;
  const startedAt = new Date().toISOString();
  return JSON.stringify({
    id,
    endpoint,
    deployment,
    apiVersion,
    startedAt,
    inputTextTokens,
    inputAudioTokens,
  });
}

/** The row of a call whose server died: it may have been billed, so its input and what is left of its answer count as estimated. */
export function interruptedCallColumns(
  runningCall: string,
  received: Received,
  prices: Prices,
  endedAt: Date,
) {
  const call = callFactsSchema.parse(JSON.parse(runningCall));
  const { inputTextTokens: inputText, inputAudioTokens: inputAudio } = call;
  const usage = { ...noTokens, inputText, inputAudio, ...outputOf(received) };
  return {
    ...call,
    model: null,
    providerRequestId: null,
    completionId: null,
    finishReason: null,
    outcome: "INTERRUPTED",
    errorCode: null,
    httpAttempts: 1,
    timeToFirstAudioMs: null,
    cachedInputTokens: 0,
    outputTextTokens: usage.outputText,
    outputAudioTokens: usage.outputAudio,
    endedAt,
    costMicroUsd: costOfCall(prices, { deployment: call.deployment, model: null, usage }),
    estimated: true,
  };
}

/** The row of a call but for whose it was. */
export type CallColumns = ReturnType<typeof callColumns> | ReturnType<typeof interruptedCallColumns>;

const outcomes = {
  complete: "COMPLETE",
  filtered: "FILTERED",
  cancelled: "CANCELLED",
  failed: "FAILED",
} as const satisfies Record<CompletionResult["end"]["type"], string>;

/** The row of a call: what it used as the provider told it, or an estimate where it told nothing and may have billed. */
export function callColumns(call: EndedCall, target: ModelTarget, prices: Prices) {
  const { result } = call;
  const estimated = result.usage === null && result.mayBeBilled;
  const usage = result.usage ?? (estimated ? estimateUsage(call) : noTokens);
  const cost = costOfCall(prices, { deployment: target.deployment, model: result.model, usage });
  return {
    id: call.id,
    ...target,
    model: result.model,
    providerRequestId: result.providerRequestId,
    completionId: result.completionId,
    finishReason: result.finishReason,
    outcome: outcomes[result.end.type],
    errorCode: result.end.type === "failed" ? result.end.error.code : null,
    httpAttempts: result.attempts,
    timeToFirstAudioMs: result.timeToFirstAudioMs === null ? null : Math.round(result.timeToFirstAudioMs),
    startedAt: call.startedAt,
    endedAt: call.endedAt,
    inputTextTokens: usage.inputText,
    inputAudioTokens: usage.inputAudio,
    cachedInputTokens: usage.cachedInput,
    outputTextTokens: usage.outputText,
    outputAudioTokens: usage.outputAudio,
    costMicroUsd: cost,
    estimated,
  };
}

function estimateUsage({ plan, ...received }: EndedCall): TokenUsage {
  return {
    inputText: plan.estimate.textTokens,
    inputAudio: plan.estimate.audioTokens,
    cachedInput: 0,
    ...outputOf(received),
  };
}

function outputOf({ receivedText, receivedAudioMs }: Received) {
  return { outputText: textTokens(receivedText), outputAudio: assistantSoundTokens(receivedAudioMs) };
}
