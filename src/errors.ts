/** docs/errors.md says of each what it means and what a client does about it. */
export const errorCodes = [
  "UNAUTHENTICATED",
  "FORBIDDEN",
  "NOT_FOUND",
  "BAD_USER_INPUT",
  "AUDIO_TOO_LARGE",
  "AUDIO_FORMAT_UNSUPPORTED",
  "TURN_IN_PROGRESS",
  "TURN_NOT_RETRYABLE",
  "IDEMPOTENCY_KEY_REUSED",
  "UPLOAD_ALREADY_RECEIVED",
  "RATE_LIMITED",
  "BUDGET_EXCEEDED",
  "QUERY_TOO_COMPLEX",
  "CURSOR_EXPIRED",
  "SERVER_SHUTTING_DOWN",
] as const;

/** Every code that a request can be refused with, besides those of GraphQL itself. */
export type ErrorCode = (typeof errorCodes)[number];

export interface ErrorDetails {
  /** Whether the same request can succeed later without being changed. Default: false. */
  retryable?: boolean;
  /** How long to wait before trying again, in milliseconds. */
  retryAfterMs?: number;
  /** The turn that is in the way (TURN_IN_PROGRESS). */
  turnId?: string;
  cause?: unknown;
}

/**
 * A mistake that the caller can be told about: its message is written for a person and holds no internals. Anything
 * else that is thrown is answered as INTERNAL_SERVER_ERROR without detail.
 */
export class ParleyError extends Error {
  override readonly name = "ParleyError";
  readonly code: ErrorCode;
  readonly retryable: boolean;
  readonly retryAfterMs: number | null;
  readonly turnId: string | null;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, { cause: details.cause });
    this.code = code;
    this.retryable = details.retryable ?? false;
    this.retryAfterMs = details.retryAfterMs ?? null;
    this.turnId = details.turnId ?? null;
  }
}

/** When to look again where what is in the way ends by itself, in milliseconds; nobody knows when. */
export const lookAgainMs = 5_000;

/** Beyond a limit of what there may be at once. */
export function tooManyAtOnce(message: string): ParleyError {
  return new ParleyError("RATE_LIMITED", message, { retryable: true, retryAfterMs: lookAgainMs });
}
