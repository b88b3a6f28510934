import { CombinedGraphQLErrors, ServerError } from "@apollo/client";

/** What went wrong, for a program (`code`) and for a person (`message`). */
export interface Problem {
  /** `extensions.code` of the API; UNREACHABLE where the server could not be asked. */
  code: string;
  message: string;
  /** Whether the same request may succeed later. */
  retryable: boolean;
}

const unreachable: Problem = {
  code: "UNREACHABLE",
  message: "The server could not be reached.",
  retryable: true,
};

/** Reads an error of Apollo Client. Every error of the API says in its extensions what it is. */
export function toProblem(error: unknown): Problem {
  if (CombinedGraphQLErrors.is(error)) {
    const [first] = error.errors;
    const { code, retryable } = first?.extensions ?? {};
    return {
      code: typeof code === "string" ? code : "UNKNOWN",
      message: first?.message ?? error.message,
      retryable: retryable === true,
    };
  }
  if (ServerError.is(error)) return fromBody(error);
  return unreachable;
}

/** An answer with an HTTP error, whose body is in GraphQL's form where Parley itself gave it. */
function fromBody({ bodyText, statusCode }: ServerError): Problem {
  const retryable = statusCode >= 500;
  const unknown = { code: `HTTP_${statusCode}`, message: `The server answered ${statusCode}.`, retryable };
  try {
    const { errors } = JSON.parse(bodyText) as {
      errors?: { message: string; extensions?: { code?: string; retryable?: boolean } }[];
    };
    const first = errors?.[0];
    if (first === undefined) return unknown;
    const { code = unknown.code, retryable: again = retryable } = first.extensions ?? {};
    return { code, message: first.message, retryable: again };
  } catch {
    return unknown;
  }
}
