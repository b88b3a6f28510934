export interface RetryPolicy {
  /** Requests in all, the first included. */
  maxAttempts: number;
  /** The longest delay before the second request; it doubles with each further one. */
  baseDelayMs: number;
  maxDelayMs: number;
  /** A longer `retry-after` is reported instead of waited for. */
  longestRetryAfterMs: number;
}

export const defaultRetryPolicy: RetryPolicy = {
  maxAttempts: 3,
  baseDelayMs: 500,
  maxDelayMs: 8_000,
  longestRetryAfterMs: 20_000,
};

export interface FailedAttempt {
  /** Requests sent so far, 1 or more. */
  attempt: number;
  /** Whether the model can't have answered, so that nothing is paid twice. */
  unanswered: boolean;
  /** What the provider asked for; null where it said nothing. */
  retryAfterMs: number | null;
  /** What is left of the call's time. */
  remainingMs: number;
}

/** How long to wait before the next request, in milliseconds; null where there should be none. `random` is in [0, 1). */
export function retryDelayMs(
  failed: FailedAttempt,
  policy: RetryPolicy,
  random: () => number,
): number | null {
  if (!failed.unanswered || failed.attempt >= policy.maxAttempts) return null;
  if (failed.retryAfterMs !== null && failed.retryAfterMs > policy.longestRetryAfterMs) return null;
  const backoffMs = Math.min(policy.maxDelayMs, policy.baseDelayMs * 2 ** (failed.attempt - 1));
  // With retry-after the jitter comes on top: earlier is no use, and all together is no use either.
  const delayMs =
    failed.retryAfterMs === null ? random() * backoffMs : failed.retryAfterMs + random() * policy.baseDelayMs;
  return delayMs < failed.remainingMs ? Math.round(delayMs) : null;
}

/** `retry-after-ms`, else `retry-after` in seconds or as an HTTP date; null where neither can be read. */
export function readRetryAfterMs(headers: Headers, now: number): number | null {
  const milliseconds = readNumber(headers.get("retry-after-ms"));
  if (milliseconds !== null) return milliseconds;
  const retryAfter = headers.get("retry-after");
  const seconds = readNumber(retryAfter);
  if (seconds !== null) return seconds * 1_000;
  const date = Date.parse(retryAfter ?? "");
  return Number.isNaN(date) ? null : Math.max(0, date - now);
}

function readNumber(text: string | null): number | null {
  return text !== null && /^\s*\d{1,12}(\.\d{1,6})?\s*$/.test(text) ? Number(text) : null;
}
