import type { Price, Prices } from "../../config/prices.js";
import type { TokenUsage } from "../../azure/types.js";
import type { DatabaseClient } from "../../db/database.js";

/** Sums over calls to the model. Counts of tokens; the cost in millionths of a US dollar, null where a price is missing. */
export interface UsageSums {
  inputTextTokens: number;
  inputAudioTokens: number;
  cachedInputTokens: number;
  outputTextTokens: number;
  outputAudioTokens: number;
  costMicroUsd: number | null;
  estimated: boolean;
}

/** The sum over no calls: it cost nothing, where prices are configured at all. */
export function noUsage(prices: Prices): UsageSums {
  return {
    inputTextTokens: 0,
    inputAudioTokens: 0,
    cachedInputTokens: 0,
    outputTextTokens: 0,
    outputAudioTokens: 0,
    costMicroUsd: prices.size > 0 ? 0 : null,
    estimated: false,
  };
}

export const noTokens: TokenUsage = Object.freeze({
  inputText: 0,
  inputAudio: 0,
  cachedInput: 0,
  outputText: 0,
  outputAudio: 0,
});

/** The cost of a call in millionths of a US dollar; null where no price is configured for its deployment or model. */
export function costOfCall(
  prices: Prices,
  call: { deployment: string; model: string | null; usage: TokenUsage },
): number | null {
  const price = prices.get(call.deployment) ?? (call.model === null ? undefined : prices.get(call.model));
  if (price !== undefined) return costMicroUsd(call.usage, price);
  // A call that used nothing costs nothing, whatever the price.
  return prices.size > 0 && Object.values(call.usage).every((count) => count === 0) ? 0 : null;
}

/**
 * In millionths of a US dollar, rounded to the nearest. A price in USD for a million tokens is
 * the price of one token in millionths. The provider tells cached tokens without saying whether they are text or
 * sound; they count as text as far as there is text.
 */
export function costMicroUsd(usage: TokenUsage, price: Price): number {
  const cachedText = Math.min(usage.cachedInput, usage.inputText);
  const cachedAudio = Math.min(usage.cachedInput - cachedText, usage.inputAudio);
  return Math.round(
    (cachedText + cachedAudio) * price.cachedInput +
      (usage.inputText - cachedText) * price.textInput +
      (usage.inputAudio - cachedAudio) * price.audioInput +
      usage.outputText * price.textOutput +
      usage.outputAudio * price.audioOutput,
  );
}

/** Which calls count. */
export interface CallCondition {
  tenantId?: string;
  endedAt?: { gte: Date; lt: Date };
}

/** Sums by turn, conversation and so on; an id without calls is absent. One statement, however many ids. */
export async function sumUsage(
  client: DatabaseClient,
  by: "turnId" | "conversationId" | "ownerId" | "tenantId",
  ids: readonly string[],
  within: CallCondition = {},
): Promise<Map<string, UsageSums>> {
  const groups = await client.modelCall.groupBy({
    by: [by, "estimated"],
    where: { ...within, [by]: { in: [...ids] } },
    _count: { _all: true, costMicroUsd: true },
    _sum: {
      inputTextTokens: true,
      inputAudioTokens: true,
      cachedInputTokens: true,
      outputTextTokens: true,
      outputAudioTokens: true,
      costMicroUsd: true,
    },
  });
  const sums = new Map<string, UsageSums>();
  for (const group of groups) {
    const id = group[by];
    if (id === null) continue;
    const { costMicroUsd: cost, ...tokens } = group._sum;
    const priced = group._count.costMicroUsd === group._count._all;
    sums.set(id, add(sums.get(id), tokens, priced ? Number(cost ?? 0) : null, group.estimated));
  }
  return sums;
}

type TokenSums = { [Name in Exclude<keyof UsageSums, "costMicroUsd" | "estimated">]: number | null };

function add(
  before: UsageSums | undefined,
  tokens: TokenSums,
  cost: number | null,
  estimated: boolean,
): UsageSums {
  const sum = before ?? { ...noUsage(new Map()), costMicroUsd: 0 };
  return {
    inputTextTokens: sum.inputTextTokens + (tokens.inputTextTokens ?? 0),
    inputAudioTokens: sum.inputAudioTokens + (tokens.inputAudioTokens ?? 0),
    cachedInputTokens: sum.cachedInputTokens + (tokens.cachedInputTokens ?? 0),
    outputTextTokens: sum.outputTextTokens + (tokens.outputTextTokens ?? 0),
    outputAudioTokens: sum.outputAudioTokens + (tokens.outputAudioTokens ?? 0),
    costMicroUsd: sum.costMicroUsd === null || cost === null ? null : sum.costMicroUsd + cost,
    estimated: sum.estimated || estimated,
  };
}
