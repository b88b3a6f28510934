import type { FastifyInstance, FastifyRequest } from "fastify";
import { fileTooLarge, maxBodyBytes } from "./multipart-form.js";
import type { MultipartLimits } from "./multipart-form.js";
import { readMultipartRequest } from "./multipart-request.js";
import { RequestError } from "./request-error.js";

/** Browsers let no foreign page send these without asking the server first (a CORS preflight). */
const preflightHeaders = ["apollo-require-preflight", "x-apollo-operation-name"] as const;

/**
 * Lets the routes of this scope take GraphQL multipart requests: `request.body` becomes the operations, in which each
 * mapped null is a `Promise<IncomingFile>`. A request without a preflight header, or whose length is beyond the limits,
 * is refused before its body is read; with the answer it lets go of its body.
 */
export function registerMultipart(app: FastifyInstance, limits: MultipartLimits): void {
  const answered = new WeakMap<FastifyRequest, AbortController>();

  app.addContentTypeParser("multipart/form-data", (_request, _body, done) => done(null));
  app.addHook("onRequest", (request, _reply, done) => {
    done(isMultipart(request) ? refusal(request, limits) : undefined);
  });
  app.addHook("preValidation", async (request) => {
    if (!isMultipart(request)) return;
    const controller = new AbortController();
    answered.set(request, controller);
    request.body = await readMultipartRequest(request.raw, limits, controller.signal);
  });
  app.addHook("onSend", (request, _reply, payload, done) => {
    answered.get(request)?.abort();
    done(null, payload);
  });
}

export function isMultipart(request: FastifyRequest): boolean {
  return request.method === "POST" && /^multipart\/form-data\b/i.test(request.headers["content-type"] ?? "");
}

function refusal({ headers }: FastifyRequest, limits: MultipartLimits): Error | undefined {
  if (!preflightHeaders.some((name) => headers[name] !== undefined && headers[name] !== "")) {
    const message =
      "A multipart request needs the header `apollo-require-preflight: true`, against forged requests.";
    return new RequestError(400, message);
  }
  return Number(headers["content-length"] ?? 0) > maxBodyBytes(limits) ? fileTooLarge(limits) : undefined;
}
