import type { CompletionResult } from "../../azure/types.js";
import type { TurnEnd, TurnFailure } from "./finish.js";
import { LeaseLostError } from "./lease.js";

/** Why a running call was stopped from this side. */
export type StopReason = "cancelled" | "shutdown" | "lease-lost";

export const interrupted: TurnFailure = Object.freeze({
  code: "INTERRUPTED",
  message: "The server went away while the model was answering. Retry the turn to ask again.",
  retryable: true,
  retryAfter: null,
});

export const internalFailure: TurnFailure = Object.freeze({
  code: "INTERNAL",
  message:
    "The server failed while it ran this turn; its log tells more under the turn's id. Retry the turn.",
  retryable: true,
  retryAfter: null,
});

/** Whether the provider no longer knows an audio id that the request referred to. */
export function isUnknownAudioId({ end }: CompletionResult): boolean {
  return end.type === "failed" && end.error.code === "AUDIO_ID_NOT_FOUND";
}

/**
 * What the end of a call means for its turn.
 * @throws LeaseLostError where the call was stopped because the turn is no longer run here
 */
export function toTurnEnd(
  result: CompletionResult,
  nothingReceived: boolean,
  stopReason: () => StopReason,
): TurnEnd {
  switch (result.end.type) {
    case "complete":
      if (nothingReceived) return { status: "FAILED", error: nothingSaid };
      return { status: "COMPLETED", finishReason: result.finishReason === "length" ? "LENGTH" : "STOP" };
    case "filtered":
      return { status: "FAILED", error: answerFiltered };
    case "cancelled":
      return stopped(stopReason());
    case "failed":
      return { status: "FAILED", error: toTurnFailure(result.end.error) };
  }
}

function stopped(reason: StopReason): TurnEnd {
  switch (reason) {
    case "cancelled":
      return { status: "CANCELLED" };
    case "shutdown":
      return { status: "FAILED", error: interrupted };
    case "lease-lost":
      throw new LeaseLostError("the turn is no longer run here");
  }
}

function toTurnFailure(error: Extract<CompletionResult["end"], { type: "failed" }>["error"]): TurnFailure {
  const { code, message, retryable, retryAfterMs } = error;
  const retryAfter = retryAfterMs === null ? null : new Date(Date.now() + retryAfterMs);
  // The request was rebuilt without audio ids and the provider still missed one: its answer makes no sense to repeat.
  if (code === "AUDIO_ID_NOT_FOUND")
    return { code: "PROVIDER_REJECTED", message, retryable: false, retryAfter };
  return { code, message, retryable, retryAfter };
}

const nothingSaid: TurnFailure = Object.freeze({
  code: "ANSWER_INCOMPLETE",
  message: "The model's answer held neither sound nor text. Retry the turn to ask again.",
  retryable: true,
  retryAfter: null,
});

export const answerFiltered: TurnFailure = Object.freeze({
  code: "CONTENT_FILTERED",
  message:
    "The provider's content filter stopped the answer, and nothing of it was kept. Ask in another way.",
  retryable: false,
  retryAfter: null,
});
