import type { Price } from "../../config/prices.js";
import { planRequest } from "../history/plan-request.js";
import type { PlannedMessage, RequestFacts, RequestPlan } from "../history/types.js";

/** Roles and separators of a chat message: more than any template of a model takes. */
const tokensPerMessage = 16;
/** Sound is counted by measured rates, with so much on top. */
const soundMargin = 1.25;

/**
 * The most that the call for a turn can cost, in millionths of a US dollar, before it is made. A token stands for one
 * byte of text at least, so that text counts by its bytes; sound counts by its length, with a margin; of the answer every
 * token that it may have counts, as sound where it can be sound. Audio ids may be refused or run out until the call
 * begins, so that both ways to send the conversation are counted, each part by the dearer one.
 */
export function worstCostMicroUsd(facts: RequestFacts, maxTokens: number, price: Price): number {
  const plans = [planRequest(facts), planRequest({ ...facts, withoutAudioIds: true })];
  const text = Math.max(...plans.map(worstTextTokens));
  const sound = Math.max(...plans.map(({ estimate }) => Math.ceil(estimate.audioTokens * soundMargin)));
  return Math.ceil(
    text * Math.max(price.textInput, price.cachedInput) +
      sound * Math.max(price.audioInput, price.cachedInput) +
      maxTokens * outputPrice(facts, price),
  );
}

function worstTextTokens({ messages }: RequestPlan): number {
  return messages.reduce((sum, message) => sum + textBytes(message) + tokensPerMessage, tokensPerMessage);
}

function textBytes(message: PlannedMessage): number {
  return "text" in message && message.text !== null ? Buffer.byteLength(message.text) : 0;
}

/** Words alone can be sure to come as words only where the new message has sound: see the model's audio rule. */
function outputPrice({ replyWithSound, message }: RequestFacts, price: Price): number {
  return replyWithSound || message.sound === null
    ? Math.max(price.textOutput, price.audioOutput)
    : price.textOutput;
}
