import {
  type ErrorDetail,
  filteredCategories,
  quote,
  retryAfterInWords,
  withoutCredentials,
} from "./error-detail.js";
import type { SignInError } from "./interruptions.js";
import type { ModelConnection, ModelFailure, ModelFailureCode } from "./types.js";

/** What is told of a failure: a code, a sentence with the next step, whether trying again may help. */
export type Reason = Pick<ModelFailure, "code" | "message" | "retryable"> & {
  unanswered?: boolean;
  retryAfterMs?: number;
};

export type FailureContext = Pick<ModelConnection, "endpoint" | "deployment" | "apiVersion" | "auth">;

/** From here on "retry after" means that the single request is over the quota. */
const overQuotaMs = 86_400_000;
const rejectedBegin = "The provider rejected the request";
const neverSent = new Set(["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "UND_ERR_CONNECT_TIMEOUT"]);
const timedOut = new Set(["UND_ERR_HEADERS_TIMEOUT", "UND_ERR_BODY_TIMEOUT", "ETIMEDOUT"]);

export function filtered(detail: ErrorDetail): Reason {
  const names = filteredCategories(detail);
  const why = names.length === 0 ? "" : ` (${names.join(", ")})`;
  return permanent(
    "CONTENT_FILTERED",
    `The provider's content filter stopped the request${why}. Say it in other words.`,
  );
}

export function refusedSignIn(status: number, detail: ErrorDetail, context: FailureContext): Reason {
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

export function signInFailed(error: SignInError): Reason {
  const cause: unknown = error.cause;
  const told = typeof cause === "object" && cause !== null && "message" in cause ? String(cause.message) : "";
  const code = /\bAADSTS\d{3,9}\b/.exec(told)?.[0];
  const why = code ?? (cause === undefined ? error.message.replace(/\.$/, "") : "no credential worked");
  return authFailed(
    `Keyless sign-in failed (${why}). Run az login, or give this server a managed identity with the role Cognitive Services User, or set AZURE_OPENAI_API_KEY.`,
  );
}

export function notFound(detail: ErrorDetail, context: FailureContext): Reason {
  const next =
    detail.code === "DeploymentNotFound"
      ? "Set AZURE_OPENAI_DEPLOYMENT_NAME to a deployment of this resource; a new one takes some minutes."
      : `Check AZURE_OPENAI_DEPLOYMENT_NAME, AZURE_OPENAI_ENDPOINT and OPENAI_API_VERSION (${quote(context.apiVersion)}).`;
  return permanent(
    "PROVIDER_DEPLOYMENT_NOT_FOUND",
    `The provider has no deployment "${quote(context.deployment)}". ${next}`,
  );
}

export function rateLimited(detail: ErrorDetail, retryAfterMs: number | null): Reason {
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

export function notConnected(code: string | null, context: FailureContext): Reason {
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

export function unavailable(status: number | null): Reason {
  const what =
    status === null ? "The provider broke the answer off with an error." : `The provider failed (${status}).`;
  return { code: "PROVIDER_UNAVAILABLE", message: `${what} Try again later.`, retryable: true };
}

export function timeout(what: string): Reason {
  return { code: "PROVIDER_TIMEOUT", message: `${what} Try again.`, retryable: true };
}

export function redirected(status: number): Reason {
  return permanent(
    "PROVIDER_REJECTED",
    `The endpoint sends requests elsewhere (${status}). Set AZURE_OPENAI_ENDPOINT to the resource itself.`,
  );
}

export function rejected(detail: ErrorDetail): Reason {
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

export function permanent(code: ModelFailureCode, message: string): Reason {
  return { code, message, retryable: false };
}
