import type { AnswerState } from "./chunks.js";
import type { CompletionRequest } from "./types.js";

export type Verdict = { type: "complete" } | { type: "filtered" } | { type: "incomplete"; message: string };

/** Whether an answer that has ended is one: by the protocol's own signs, since a cut stream just ends. */
export function judgeAnswer(answer: AnswerState, request: CompletionRequest): Verdict {
  if (answer.finishReason === "content_filter") return { type: "filtered" };
  const ended = answer.spoken ? endedSpoken(answer, request) : answer.finishReason !== null;
  if (!ended) return incomplete("The model's answer broke off.");
  // Sound that is missing is made up for by words written as text.
  if (answer.spoken && answer.audioByteLength === 0 && !answer.textSeen)
    return incomplete("The model answered without the sound.");
  const silent = !answer.spoken && !answer.textSeen && request.output.kind === "audio";
  return silent ? incomplete("The model sent neither sound nor words.") : { type: "complete" };
}

// No recorded stream with sound had a finish_reason: expires_at is what comes last. A whole answer ends with its JSON.
function endedSpoken(answer: AnswerState, request: CompletionRequest): boolean {
  if (answer.providerAudioExpiresAt !== null || !isStreamed(request)) return true;
  return answer.audioByteLength === 0 && answer.textSeen && answer.finishReason !== null;
}

/** The provider streams text and pcm16 and nothing else. */
export function isStreamed(request: CompletionRequest): boolean {
  return request.output.kind === "text" || request.output.format === "pcm16";
}

/** As the provider told it; where it told none, `length` for a complete answer that used up its tokens. */
export function finishReasonOf(
  answer: AnswerState,
  complete: boolean,
  maxTokens: number | null,
): string | null {
  if (answer.finishReason !== null || !complete) return answer.finishReason;
  return maxTokens !== null && (answer.completionTokens ?? 0) >= maxTokens ? "length" : null;
}

function incomplete(message: string): Verdict {
  return { type: "incomplete", message: `${message} Try again: the answer may be whole next time.` };
}
