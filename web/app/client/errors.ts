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
  if (ServerError.is(error)) return fromBody(error);
  return unreachable;
}

/** An answer with an HTTP error, whose body is in GraphQL's form where Parley itself gave it. */
function fromBody({ bodyText, statusCode }: ServerError): Problem {
  const otherwise = { code: `HTTP_${statusCode}`, retryable: statusCode >= 500 };
  return fromTold(firstOf(bodyText) ?? { message: `The server answered ${statusCode}.` }, otherwise);
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
