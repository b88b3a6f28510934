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

/** The request that the caller works for. Apollo formats errors without telling for which request. */
export function currentRequestId(): string {
  return current.getStore() ?? "none";
}
