import { APIError } from "openai";
import {
  type ErrorDetail,
  filteredCategories,
  isPromptFiltered,
  parseErrorDetail,
  quote,
  retryAfterInWords,
  withoutCredentials,
} from "./error-detail.js";
import { SignInError, TransportError, causeChain } from "./interruptions.js";
import { readRetryAfterMs } from "./retry.js";
import type { ModelConnection, ModelFailure, ModelFailureCode } from "./types.js";

/** A failure in the product's words, and what the retry and the log want to know of it. */
export interface TranslatedFailure {
  failure: ModelFailure;
  /** The model can't have answered: sending again pays nothing twice. */
  unanswered: boolean;
  providerRequestId: string | null;
}

export type FailureContext = Pick<ModelConnection, "endpoint" | "deployment" | "apiVersion" | "auth">;

type Reason = Pick<ModelFailure, "code" | "message" | "retryable"> & {
  unanswered?: boolean;
  retryAfterMs?: number;
};

/** From here on "retry after" means that the single request is over the quota. */
const overQuotaMs = 86_400_000;
const rejectedBegin = "The provider rejected the request";
const neverSent = new Set(["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "UND_ERR_CONNECT_TIMEOUT"]);
const timedOut = new Set(["UND_ERR_HEADERS_TIMEOUT", "UND_ERR_BODY_TIMEOUT", "ETIMEDOUT"]);

/** What went wrong before an answer began; null for an error that is not the provider's, nor the way's to it. */
export function translateError(
  error: unknown,
  context: FailureContext,
  now: number,
): TranslatedFailure | null {
  for (const link of causeChain(error)) {
    if (link instanceof SignInError) return finish(signInFailed(link));
    if (link instanceof TransportError) return finish(notConnected(link.code, context));
    if (isResponse(link)) return translateResponse(link, context, now);
  }
  return null;
}

/** What an error object in the middle of a stream means: its status is lost. */
export function translateStreamedError(detail: unknown): ModelFailure {
  const parsed = parseErrorDetail(detail);
  const said =
    badRequestReason(parsed) ?? (parsed.code === "rate_limit_exceeded" ? rateLimited(parsed, null) : null);
  if (said !== null) return finish(said).failure;
  return finish(parsed.type === "invalid_request_error" ? rejected(parsed) : unavailable(null)).failure;
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
  return finish(timeout(message)).failure;
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
  if (status === 401 || status === 403) return refusedSignIn(status, detail, context);
  if (status === 404) return notFound(detail, context);
  if (status === 408) return timeout("The provider gave up waiting.");
  if (status === 413)
    return permanent("PROVIDER_REJECTED", "The request is too large for the provider. Send less audio.");
  if (status === 429) return rateLimited(detail, retryAfterMs);
  if (status >= 500) return { ...unavailable(status), unanswered: status === 503 };
  if (status < 400) return redirected(status);
  return badRequestReason(detail) ?? rejected(detail);
}

function badRequestReason(detail: ErrorDetail): Reason | null {
  if (isPromptFiltered(detail)) return filtered(detail);
  if (detail.code === "context_length_exceeded") {
    return permanent(
      "CONTEXT_TOO_LONG",
      "The conversation is longer than the model can take. Start a new one, or lower HISTORY_MAX_TOKENS.",
    );
  }
  if (detail.code === "audio_not_found")
    return permanent("AUDIO_ID_NOT_FOUND", "The model no longer knows an earlier answer's audio id.");
  if (detail.code === "OperationNotSupported") {
    return permanent(
      "PROVIDER_REJECTED",
      "The deployment's model takes no audio chat. Deploy an audio model (gpt-audio, say) and set AZURE_OPENAI_DEPLOYMENT_NAME to it.",
    );
  }
  return null;
}

function filtered(detail: ErrorDetail): Reason {
  const names = filteredCategories(detail);
  const why = names.length === 0 ? "" : ` (${names.join(", ")})`;
  return permanent(
    "CONTENT_FILTERED",
    `The provider's content filter stopped the request${why}. Say it in other words.`,
  );
}

function refusedSignIn(status: number, detail: ErrorDetail, context: FailureContext): Reason {
  const denied = `The provider refused the sign-in (${status}).`;
  if (detail.code === "AuthenticationTypeDisabled") {
    return authFailed(
      `${denied} The resource takes no keys: unset AZURE_OPENAI_API_KEY to sign in with Microsoft Entra ID.`,
    );
  }
  if (/firewall|virtual network/i.test(detail.message ?? "")) {
    return authFailed(
      `${denied} The resource's network rules keep this server out: allow its address there.`,
    );
  }
  return authFailed(
    context.auth.kind === "api-key"
      ? `${denied} Check that AZURE_OPENAI_API_KEY belongs to the resource of AZURE_OPENAI_ENDPOINT.`
      : `${denied} Give the signed-in identity the role Cognitive Services User on the resource; a new role takes some minutes.`,
  );
}

function signInFailed(error: SignInError): Reason {
  const cause: unknown = error.cause;
  const told = typeof cause === "object" && cause !== null && "message" in cause ? String(cause.message) : "";
  const code = /\bAADSTS\d{3,9}\b/.exec(told)?.[0];
  const why = code ?? (cause === undefined ? error.message.replace(/\.$/, "") : "no credential worked");
  return authFailed(
    `Keyless sign-in failed (${why}). Run az login, or give this server a managed identity with the role Cognitive Services User, or set AZURE_OPENAI_API_KEY.`,
  );
}

function notFound(detail: ErrorDetail, context: FailureContext): Reason {
  const next =
    detail.code === "DeploymentNotFound"
      ? "Set AZURE_OPENAI_DEPLOYMENT_NAME to a deployment of this resource; a new one takes some minutes."
      : `Check AZURE_OPENAI_DEPLOYMENT_NAME, AZURE_OPENAI_ENDPOINT and OPENAI_API_VERSION (${quote(context.apiVersion)}).`;
  return permanent(
    "PROVIDER_DEPLOYMENT_NOT_FOUND",
    `The provider has no deployment "${quote(context.deployment)}". ${next}`,
  );
}

function rateLimited(detail: ErrorDetail, retryAfterMs: number | null): Reason {
  const toldMs = retryAfterInWords(detail);
  const waitMs = retryAfterMs ?? toldMs;
  if (detail.code === "insufficient_quota" || Math.max(waitMs ?? 0, toldMs ?? 0) >= overQuotaMs) {
    return permanent(
      "PROVIDER_RATE_LIMITED",
      "The request is over the deployment's quota. Raise the quota, or send a shorter conversation.",
    );
  }
  return {
    code: "PROVIDER_RATE_LIMITED",
    message: "The deployment has too many requests just now. Try again later.",
    retryable: true,
    unanswered: true,
    ...(waitMs === null ? {} : { retryAfterMs: waitMs }),
  };
}

function notConnected(code: string | null, context: FailureContext): Reason {
  if (code !== null && timedOut.has(code)) return timeout("The provider sent no answer in time.");
  const host = URL.canParse(context.endpoint) ? new URL(context.endpoint).host : "the endpoint";
  const why = code === null ? "" : ` (${code})`;
  return {
    code: "PROVIDER_UNAVAILABLE",
    message: `No answer from ${host}${why}. Check AZURE_OPENAI_ENDPOINT and the network, or try again.`,
    retryable: true,
    unanswered: code !== null && neverSent.has(code),
  };
}

function unavailable(status: number | null): Reason {
  const what =
    status === null ? "The provider broke the answer off with an error." : `The provider failed (${status}).`;
  return { code: "PROVIDER_UNAVAILABLE", message: `${what} Try again later.`, retryable: true };
}

function timeout(what: string): Reason {
  return { code: "PROVIDER_TIMEOUT", message: `${what} Try again.`, retryable: true };
}

function redirected(status: number): Reason {
  return permanent(
    "PROVIDER_REJECTED",
    `The endpoint sends requests elsewhere (${status}). Set AZURE_OPENAI_ENDPOINT to the resource itself.`,
  );
}

function rejected(detail: ErrorDetail): Reason {
  const words = quote(withoutCredentials(detail.message ?? ""));
  return permanent("PROVIDER_REJECTED", words === "" ? `${rejectedBegin}.` : `${rejectedBegin}: ${words}`);
}

/** The message without the provider's own words, which may repeat the request: for the log. */
export function withoutQuotation(message: string): string {
  return message.startsWith(`${rejectedBegin}: `)
    ? `${rejectedBegin}; its words are in the turn's error.`
    : message;
}

function authFailed(message: string): Reason {
  return permanent("PROVIDER_AUTH_FAILED", message);
}

function permanent(code: ModelFailureCode, message: string): Reason {
  return { code, message, retryable: false };
}

function finish(
  reason: Reason,
  status: number | null = null,
  providerRequestId: string | null = null,
): TranslatedFailure {
  const { unanswered = false, retryAfterMs = null, ...said } = reason;
  return { failure: { ...said, retryAfterMs, status }, unanswered, providerRequestId };
}
