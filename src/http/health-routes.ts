import type { FastifyInstance } from "fastify";
import type { ReadinessReport } from "../services/readiness.js";

/** Load balancers ask by address, and nobody may keep an answer. */
const route = { config: { anyHost: true } };
const headers = { "cache-control": "no-store" };

/** `/healthz`: the process answers. `/readyz`: it can do its work, or which check failed; why, the log tells alone. */
export function registerHealth(app: FastifyInstance, report: () => Promise<ReadinessReport>): void {
  app.get("/healthz", route, (_request, reply) => reply.headers(headers).send({ status: "ok" }));
  app.get("/readyz", route, async (_request, reply) => {
    const answer = await report();
    return reply
      .code(answer.ready ? 200 : 503)
      .headers(headers)
      .send(answer);
  });
}
