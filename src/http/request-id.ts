import { AsyncLocalStorage } from "node:async_hooks";
import type { FastifyInstance } from "fastify";

const current = new AsyncLocalStorage<string>();

/** Names each request in its answer (`x-request-id`) and for whatever is logged while it runs. */
export function registerRequestId(app: FastifyInstance): void {
  app.addHook("onRequest", (request, reply, done) => {
    void reply.header("x-request-id", request.id);
    current.run(request.id, done);
  });
}

/** Runs the work, and all that it waits for, as one request; for what comes by other ways than Fastify. */
export function withRequestId<Result>(requestId: string, work: () => Result): Result {
  return current.run(requestId, work);
}

/** The request that the caller works for. Apollo formats errors without telling for which request. */
export function currentRequestId(): string {
  return current.getStore() ?? "none";
}
