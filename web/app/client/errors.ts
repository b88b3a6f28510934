import { CombinedGraphQLErrors, ServerError } from "@apollo/client";

import { afterWait } from "../parts/format.js";

/** What went wrong, for a program (`code`) and for a person (`message`). */
export interface Problem {
  /** `extensions.code` of the API; UNREACHABLE where the server could not be asked. */
  code: string;
  message: string;
  /** Whether the same request may succeed later. */
  retryable: boolean;
  /** From when on it may, in the form of ISO 8601; null where the server did not say, and where it can't. */
  retryAt: string | null;
}

const unreachable: Problem = {
  code: "UNREACHABLE",
  message: "The server could not be reached.",
  retryable: true,
  retryAt: null,
};

/** What the API says of an error in its extensions, as far as the page reads it. */
interface Told {
  message: string;
  extensions?: { code?: unknown; retryable?: unknown; retryAfterMs?: unknown } | undefined;
}

/** Reads an error of Apollo Client. Every error of the API says in its extensions what it is. */
export function toProblem(error: unknown): Problem {
  if (CombinedGraphQLErrors.is(error)) {
    const [first] = error.errors;
    return fromTold(first ?? { message: error.message }, { code: "UNKNOWN", retryable: false });
  }
  if (ServerError.is(error)) return problemOf(error.bodyText, error.statusCode);
  return unreachable;
}

/** Reads an answer with an HTTP error, whose body is in GraphQL's form where Parley itself gave it. */
export function problemOf(body: string, status: number): Problem {
  const otherwise = { code: `HTTP_${status}`, retryable: status >= 500 };
  return fromTold(firstOf(body) ?? { message: `The server answered ${status}.` }, otherwise);
}

/**
 * Whether the server wants another sign-in. One that only can't check tokens at the moment says that it is retryable: the
 * same token may be good soon.
 */
export function isRefusal({ code, retryable }: Problem): boolean {
  return (code === "UNAUTHENTICATED" || code === "HTTP_401") && !retryable;
}

function firstOf(bodyText: string): Told | undefined {
  try {
    return (JSON.parse(bodyText) as { errors?: Told[] }).errors?.[0];
  } catch {
    return undefined;
  }
}

function fromTold(
  { message, extensions = {} }: Told,
  otherwise: Pick<Problem, "code" | "retryable">,
): Problem {
  const { code, retryable, retryAfterMs } = extensions;
  const waitMs = typeof retryAfterMs === "number" ? retryAfterMs : null;
  return {
    code: typeof code === "string" ? code : otherwise.code,
    message: waitMs === null ? message : `${message} Try again ${afterWait(waitMs)}.`,
    retryable: typeof retryable === "boolean" ? retryable : otherwise.retryable,
    retryAt: waitMs === null ? null : new Date(Date.now() + waitMs).toISOString(),
  };
}
