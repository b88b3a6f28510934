import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { codeOfError } from "../code-of-error.js";
import { ParleyError } from "../errors.js";
import type { ErrorCode } from "../errors.js";
import type { Logger } from "../logger.js";
import { extensionsOf, internalError } from "./error-format.js";

const statuses: Readonly<Partial<Record<ErrorCode, number>>> = {
  UNAUTHENTICATED: 401,
  FORBIDDEN: 403,
  NOT_FOUND: 404,
  AUDIO_TOO_LARGE: 413,
  UPLOAD_ALREADY_RECEIVED: 409,
  RATE_LIMITED: 429,
  BUDGET_EXCEEDED: 429,
  SERVER_SHUTTING_DOWN: 503,
};

/** Goes with each 401: RFC 9110, section 11.6.1, and RFC 6750. */
export const challenge = { "www-authenticate": 'Bearer realm="Parley"' } as const;

/** Errors outside of GraphQL's execution are told in GraphQL's form, too, so that clients read them in one way. */
export function registerHttpErrors(app: FastifyInstance, logger: Logger): void {
  app.setErrorHandler((error: FastifyError, request, reply) => {
    const told = toParleyError(error);
    if (told !== null) return sendError(reply, request, told);
    const status = error.statusCode ?? 500;
    if (status < 500) return sendBadRequest(reply, request, error, status);
    logger.error({ err: error, requestId: request.id }, "a request failed by a fault of the server");
    return reply.code(500).send({ errors: [internalError(request.id)] });
  });
  app.setNotFoundHandler((request, reply) =>
    sendError(reply, request, new ParleyError("NOT_FOUND", "There is nothing here. The API is at /graphql.")),
  );
}

/** For requests that never come to a route or a hook: a path that can't be decoded, say. */
export function answerUnroutable(headers: Readonly<Record<string, string>>) {
  return (error: FastifyError, request: FastifyRequest, reply: FastifyReply): void => {
    void reply.headers({ ...headers, "x-request-id": request.id });
    void sendBadRequest(reply, request, error, error.statusCode ?? 400);
  };
}

/** The HTTP status of an error that was found before or beside GraphQL's execution. */
export function statusOf(error: ParleyError): number {
  return statuses[error.code] ?? 400;
}

export function sendError(reply: FastifyReply, request: FastifyRequest, error: ParleyError) {
  if (error.code === "UNAUTHENTICATED") void reply.headers(challenge);
  if (error.retryAfterMs !== null) void reply.header("retry-after", Math.ceil(error.retryAfterMs / 1000));
  return reply
    .code(statusOf(error))
    .send({ errors: [{ message: error.message, extensions: extensionsOf(error, request.id) }] });
}

function toParleyError(error: unknown): ParleyError | null {
  if (error instanceof ParleyError) return error;
  if (codeOfError(error) !== "FST_ERR_CTP_BODY_TOO_LARGE") return null;
  return new ParleyError(
    "AUDIO_TOO_LARGE",
    "The request is too large. Send audio above the base64 limit as an Upload, in a multipart request.",
  );
}

function sendBadRequest(reply: FastifyReply, request: FastifyRequest, error: FastifyError, status: number) {
  const extensions = { code: "BAD_REQUEST", retryable: false, requestId: request.id };
  return reply.code(status).send({ errors: [{ message: messageOf(error), extensions }] });
}

/** What `curl -d` sends by itself is no type that the API takes. */
function messageOf({ code, message }: FastifyError): string {
  if (code !== "FST_ERR_CTP_INVALID_MEDIA_TYPE") return message;
  return "Send the header content-type: application/json; an upload is multipart/form-data.";
}
