import { ApolloServerErrorCode, unwrapResolverError } from "@apollo/server/errors";
import { GraphQLError } from "graphql";
import type { ExecutionResult, FormattedExecutionResult, GraphQLFormattedError } from "graphql";
import { ParleyError } from "../errors.js";
import type { Logger } from "../logger.js";
import { inPlainWords } from "./plain-words.js";
import { currentRequestId } from "./request-id.js";

/** Codes of Apollo and of the limits: mistakes of the request, told as they are. */
const requestMistakes: ReadonlySet<unknown> = new Set([
  ...Object.values(ApolloServerErrorCode).filter(
    (code) => code !== ApolloServerErrorCode.INTERNAL_SERVER_ERROR,
  ),
  "QUERY_TOO_COMPLEX",
]);

/** What a client is told of an error: a mistake of theirs in full, a fault of the server by its request id only. */
export function formatError(
  formatted: GraphQLFormattedError,
  error: unknown,
  logger: Logger,
): GraphQLFormattedError {
  const requestId = currentRequestId();
  const original = originalOf(error);
  const place = {
    ...(formatted.locations === undefined ? {} : { locations: formatted.locations }),
    ...(formatted.path === undefined ? {} : { path: formatted.path }),
  };
  if (original instanceof ParleyError) {
    return { message: original.message, ...place, extensions: extensionsOf(original, requestId) };
  }
  const mistake =
    error instanceof GraphQLError && original === error ? requestMistake(formatted, error) : null;
  if (mistake !== null) {
    const extensions = { code: mistake.code, retryable: false, requestId };
    return { message: inPlainWords(mistake.message), ...place, extensions };
  }
  logger.error(
    { err: original, requestId, path: formatted.path },
    "a request failed by a fault of the server",
  );
  return { ...internalError(requestId), ...place };
}

/** Apollo unwraps the errors of resolvers alone; those of a transport or of a subscription's events have no path. */
function originalOf(error: unknown): unknown {
  const told = error instanceof GraphQLError && error.originalError instanceof ParleyError;
  return told ? error.originalError : unwrapResolverError(error);
}

/** What a client is told of an error that did not pass Apollo. */
export function formatFault(error: unknown, logger: Logger): GraphQLFormattedError {
  return formatError(error instanceof GraphQLError ? error.toJSON() : { message: "" }, error, logger);
}

/** A result that did not pass Apollo, as a client gets it. */
export function formatResult(result: UnformattedResult, logger: Logger): FormattedExecutionResult {
  const { data, errors, extensions } = result;
  return {
    ...(data === undefined ? {} : { data }),
    ...(errors === undefined ? {} : { errors: errors.map((error) => formatFault(error, logger)) }),
    ...(extensions === undefined ? {} : { extensions }),
  };
}

/** An ExecutionResult, by GraphQL's type or by the like of graphql-ws, which has `undefined` where nothing is. */
interface UnformattedResult {
  data?: ExecutionResult["data"] | undefined;
  errors?: ExecutionResult["errors"] | undefined;
  extensions?: ExecutionResult["extensions"] | undefined;
}

/** Null for what is no mistake of the request. Apollo has one code for all errors of validation, ours among them. */
function requestMistake(
  { message, extensions }: GraphQLFormattedError,
  { originalError, extensions: given }: GraphQLError,
): { code: unknown; message: string } | null {
  const code = extensions?.["code"];
  if (originalError instanceof GraphQLError && originalError.extensions["code"] === "QUERY_TOO_COMPLEX") {
    return { code: "QUERY_TOO_COMPLEX", message };
  }
  // graphql-js stops comparing fields of the same name when they are too many, in these words.
  if (code === ApolloServerErrorCode.GRAPHQL_VALIDATION_FAILED && message === "Validation aborted.") {
    return { code: "QUERY_TOO_COMPLEX", message: "The document repeats its fields too often to be checked." };
  }
  // Apollo gives no code to a persisted query of another version or with a hash that does not fit, only a status.
  if (given["code"] === undefined && isBadRequest(given["http"])) {
    return { code: ApolloServerErrorCode.BAD_REQUEST, message };
  }
  return requestMistakes.has(code) ? { code, message } : null;
}

function isBadRequest(http: unknown): boolean {
  return typeof http === "object" && http !== null && "status" in http && http.status === 400;
}

export function extensionsOf(error: ParleyError, requestId: string): Record<string, unknown> {
  return {
    code: error.code,
    retryable: error.retryable,
    requestId,
    ...(error.retryAfterMs === null ? {} : { retryAfterMs: error.retryAfterMs }),
    ...(error.turnId === null ? {} : { turnId: error.turnId }),
  };
}

export function internalError(requestId: string): GraphQLFormattedError {
  return {
    message: `The server failed. Its log tells more under the request id ${requestId}.`,
    extensions: { code: "INTERNAL_SERVER_ERROR", retryable: true, requestId },
  };
}
