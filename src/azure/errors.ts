import { APIError } from "openai";
import { type ErrorDetail, isPromptFiltered, parseErrorDetail } from "./error-detail.js";
import * as told from "./failure-reasons.js";
import type { FailureContext, Reason } from "./failure-reasons.js";
import { SignInError, TransportError, causeChain } from "./interruptions.js";
import { readRetryAfterMs } from "./retry.js";
import type { ModelFailure } from "./types.js";

/** A failure in the product's words, and what the retry and the log want to know of it. */
export interface TranslatedFailure {
  failure: ModelFailure;
  /** The model can't have answered: sending again pays nothing twice. */
  unanswered: boolean;
  providerRequestId: string | null;
}

/** What went wrong before an answer began; null for an error that is not the provider's, nor the way's to it. */
export function translateError(
  error: unknown,
  context: FailureContext,
  now: number,
): TranslatedFailure | null {
  for (const link of causeChain(error)) {
    if (link instanceof SignInError) return finish(told.signInFailed(link));
    if (link instanceof TransportError) return finish(told.notConnected(link.code, context));
    if (isResponse(link)) return translateResponse(link, context, now);
  }
  return null;
}

/** What an error object in the middle of a stream means: its status is lost. */
export function translateStreamedError(detail: unknown): ModelFailure {
  const parsed = parseErrorDetail(detail);
  const said =
    badRequestReason(parsed) ??
    (parsed.code === "rate_limit_exceeded" ? told.rateLimited(parsed, null) : null);
  if (said !== null) return finish(said).failure;
  return finish(parsed.type === "invalid_request_error" ? told.rejected(parsed) : told.unavailable(null))
    .failure;
}

/** `apim-request-id`, else `x-request-id`. */
export function readRequestId(headers: Headers): string | null {
  return headers.get("apim-request-id") ?? headers.get("x-request-id");
}

export function timedOutFailure(kind: "idle" | "total", limitMs: number): ModelFailure {
  const message =
    kind === "idle"
      ? `Nothing came from the model for ${limitMs} ms.`
      : `The model's answer took longer than ${limitMs} ms.`;
  return finish(told.timeout(message)).failure;
}

export function incompleteFailure(message: string): ModelFailure {
  return finish({ code: "ANSWER_INCOMPLETE", message, retryable: true }).failure;
}

type ErrorResponse = APIError<number, Headers>;

/** The SDK gives its other errors, connections that failed, the same class without a status. */
function isResponse(error: unknown): error is ErrorResponse {
  return error instanceof APIError && typeof error.status === "number";
}

function translateResponse(error: ErrorResponse, context: FailureContext, now: number): TranslatedFailure {
  const { status, headers } = error;
  const retryAfterMs = readRetryAfterMs(headers, now);
  const reason = statusReason(status, parseErrorDetail(error.error), retryAfterMs, context);
  return finish(
    { ...(retryAfterMs === null ? {} : { retryAfterMs }), ...reason },
    status,
    readRequestId(headers),
  );
}

function statusReason(
  status: number,
  detail: ErrorDetail,
  retryAfterMs: number | null,
  context: FailureContext,
): Reason {
  if (status === 401 || status === 403) return told.refusedSignIn(status, detail, context);
  if (status === 404) return told.notFound(detail, context);
  if (status === 408) return told.timeout("The provider gave up waiting.");
  if (status === 413)
    return told.permanent("PROVIDER_REJECTED", "The request is too large for the provider. Send less audio.");
  if (status === 429) return told.rateLimited(detail, retryAfterMs);
  if (status >= 500) return { ...told.unavailable(status), unanswered: status === 503 };
  if (status < 400) return told.redirected(status);
  return badRequestReason(detail) ?? told.rejected(detail);
}

function badRequestReason(detail: ErrorDetail): Reason | null {
  if (isPromptFiltered(detail)) return told.filtered(detail);
  if (detail.code === "context_length_exceeded") {
    return told.permanent(
      "CONTEXT_TOO_LONG",
      "The conversation is longer than the model can take. Start a new one, or lower HISTORY_MAX_TOKENS.",
    );
  }
  if (detail.code === "audio_not_found")
    return told.permanent("AUDIO_ID_NOT_FOUND", "The model no longer knows an earlier answer's audio id.");
  if (detail.code === "OperationNotSupported") {
    return told.permanent(
      "PROVIDER_REJECTED",
      "The deployment's model takes no audio chat. Deploy an audio model (gpt-audio, say) and set AZURE_OPENAI_DEPLOYMENT_NAME to it.",
    );
  }
  return null;
}

function finish(
  reason: Reason,
  status: number | null = null,
  providerRequestId: string | null = null,
): TranslatedFailure {
  const { unanswered = false, retryAfterMs = null, ...said } = reason;
  return { failure: { ...said, retryAfterMs, status }, unanswered, providerRequestId };
}
