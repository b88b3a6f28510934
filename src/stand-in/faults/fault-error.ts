import { contextLengthExceeded } from "../checks/check-request.js";
import { bodyTooLarge, gatewayError, invalidRequest, ProtocolError } from "../protocol-error.js";
import { filterResults } from "../answers/content-filter.js";
import type { Fault } from "./fault.js";

type Named<Name extends Fault["name"]> = Extract<Fault, { name: Name }>;

/** The error that the fault answers instead of an answer; null for a fault that spoils the answer itself. */
export function faultError(fault: Fault): ProtocolError | null {
  switch (fault.name) {
    case "unauthorized":
      return unauthorized(fault.shape ?? "key");
    case "forbidden":
      return forbidden(fault.reason ?? "key-disabled");
    case "rate-limited":
      return rateLimited(fault);
    case "unavailable":
      return unavailable(fault.retryAfterMs);
    case "refusal":
    case "stall":
    case "cut":
    case "stream-error":
    case "audio-missing":
    case "audio-id-expired":
    case "content-filter-answer":
      return null;
    default:
      return plainErrors[fault.name]();
  }
}

const plainErrors = {
  "not-found": () =>
    gatewayError(
      404,
      "DeploymentNotFound",
      "The API deployment for this resource does not exist. If you created the deployment within the last 5 minutes, please wait a moment and try again.",
    ),
  rejected: () =>
    invalidRequest(
      "Invalid 'messages[0]': this request was refused on demand.",
      "messages[0]",
      "invalid_value",
    ),
  timeout: () => gatewayError(408, "Timeout", "The operation was timeout."),
  "too-large": () => bodyTooLarge(64 * 1024 * 1024),
  "server-error": () => {
    const message = "The server had an error while processing your request. Sorry about that!";
    return new ProtocolError(500, message, {
      error: { message, type: "server_error", param: null, code: null },
    });
  },
  "content-filter-prompt": () => promptFiltered(),
  "context-length": () => contextLengthExceeded(128_001),
};

export function unauthorized(shape: "key" | "token" | "permission"): ProtocolError {
  if (shape === "key") {
    return gatewayError(
      401,
      "401",
      "Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide a valid key for an active subscription and use a correct regional API endpoint for your resource.",
    );
  }
  if (shape === "token") {
    const message =
      "Unauthorized. Access token is missing, invalid, audience is incorrect (https://cognitiveservices.azure.com), or have expired.";
    return new ProtocolError(401, message, { statusCode: 401, message });
  }
  return gatewayError(
    401,
    "PermissionDenied",
    "The principal lacks the required data action `Microsoft.CognitiveServices/accounts/OpenAI/deployments/chat/completions/action` to perform `POST /openai/deployments/{deployment-id}/chat/completions` operation.",
  );
}

function forbidden(reason: "key-disabled" | "firewall"): ProtocolError {
  return reason === "key-disabled"
    ? gatewayError(
        403,
        "AuthenticationTypeDisabled",
        "Key based authentication is disabled for this resource.",
      )
    : gatewayError(403, "403", "Access denied due to Virtual Network/Firewall rules.");
}

function rateLimited(fault: Named<"rate-limited">): ProtocolError {
  const retryAfterMs = fault.quota === true ? 86_400_000 : (fault.retryAfterMs ?? 1000);
  const seconds = Math.ceil(retryAfterMs / 1000);
  return gatewayError(
    429,
    "429",
    `Requests to the ChatCompletions_Create Operation have exceeded the rate limit of your current pricing tier. Please retry after ${seconds} seconds.`,
    retryHeaders(retryAfterMs),
  );
}

function unavailable(retryAfterMs: number | undefined): ProtocolError {
  return gatewayError(
    503,
    "ServiceUnavailable",
    "The service is temporarily unable to process your request. Please try again later.",
    retryAfterMs === undefined ? {} : retryHeaders(retryAfterMs),
  );
}

function retryHeaders(retryAfterMs: number): Record<string, string> {
  return {
    "retry-after": String(Math.ceil(retryAfterMs / 1000)),
    "retry-after-ms": String(retryAfterMs),
    "x-ratelimit-remaining-requests": "0",
  };
}

function promptFiltered(): ProtocolError {
  const message =
    "The response was filtered due to the prompt triggering Azure OpenAI's content management policy. Please modify your prompt and retry.";
  const innererror = {
    code: "ResponsibleAIPolicyViolation",
    content_filter_result: { ...filterResults("hate"), jailbreak: { filtered: false, detected: false } },
  };
  return new ProtocolError(400, message, {
    error: { message, type: null, param: "prompt", code: "content_filter", status: 400, innererror },
  });
}
