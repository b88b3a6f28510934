import type { FastifyReply, FastifyRequest } from "fastify";
import type { GraphQLError } from "graphql";
import type { Viewer } from "../../auth/viewer.js";
import { ParleyError } from "../../errors.js";
import { formatFault } from "../error-format.js";
import { statusOf } from "../http-errors.js";
import type { ToldCost } from "../limits/query-cost.js";
import { httpRequestFrom } from "../limits/address-limits.js";
import { originOf } from "../origin.js";
import { RequestError } from "../request-error.js";
import { signedIn } from "../sign-in.js";
import { checkDocument } from "./check-operation.js";
import { EventParts, eventPartsType } from "./event-parts.js";
import type { LiveConnections } from "./live-connections.js";
import { runSubscription } from "./run-subscription.js";
import type { LiveSettings } from "./settings.js";
import { StreamedAnswer } from "./streamed-answer.js";
import { watchSignIn } from "./watch-sign-in.js";
import { howToSubscribe, mayBeStreamed, readSubscription } from "./subscription-request.js";
import type { SubscriptionRequest } from "./subscription-request.js";

/**
 * Answers a subscription that was sent over HTTP, by Apollo's multipart protocol
 * (https://www.apollographql.com/docs/graphos/routing/operations/subscriptions/multipart-protocol), or says how it must
 * be sent. Null for every other request.
 */
export function answerSubscription(
  request: FastifyRequest,
  reply: FastifyReply,
  connections: LiveConnections,
  settings: LiveSettings,
): Promise<FastifyReply> | null {
  const asked = readSubscription(request);
  if (asked === null) return null;
  if (mayBeStreamed(request)) return new Answering(request, reply, connections, settings).answer(asked);
  if (request.method === "POST") throw new RequestError(406, howToSubscribe);
  void reply.header("allow", "POST");
  throw new RequestError(405, howToSubscribe);
}

class Answering {
  readonly #request: FastifyRequest;
  readonly #reply: FastifyReply;
  readonly #connections: LiveConnections;
  readonly #settings: LiveSettings;

  constructor(
    request: FastifyRequest,
    reply: FastifyReply,
    connections: LiveConnections,
    settings: LiveSettings,
  ) {
    this.#request = request;
    this.#reply = reply;
    this.#connections = connections;
    this.#settings = settings;
  }

  async answer(asked: SubscriptionRequest): Promise<FastifyReply> {
    const { schema, http, createContext } = this.#settings;
    const { viewer } = signedIn(this.#request);
    const checked = checkDocument(asked.document, asked, { schema, introspection: http.introspection });
    if ("refused" in checked) return this.#refuse(400, checked.refused);
    const answer = new StreamedAnswer(this.#reply.raw);
    const refusal = this.#connections.admit(viewer, answer);
    if (refusal !== null) return this.#refuse(statusOf(refusal), [refusal]);
    this.#connections.keep(answer);
    this.#watch(answer);
    const tooDear = this.#takeCost(viewer, checked.cost, answer);
    if (tooDear !== null) return this.#refuse(statusOf(tooDear), [tooDear]);
    const origin = originOf(this.#request, http.publicUrl);
    const from = httpRequestFrom(this.#request, http.trustedProxies);
    const results = await runSubscription(checked, () => createContext(viewer, origin, from));
    // What a resolver refuses is answered as that of a query is.
    if (!("next" in results)) return this.#refuse(200, results.errors ?? []);
    const { heartbeatMs } = this.#settings.times;
    const parts = new EventParts(results, {
      requestId: this.#request.id,
      heartbeatMs,
      logger: this.#settings.logger,
    });
    return this.#stream(answer.send(parts));
  }

  #takeCost(viewer: Viewer, cost: ToldCost, answer: StreamedAnswer): ParleyError | null {
    try {
      void answer.closed.then(this.#connections.eventCosts.take(viewer, cost));
      return null;
    } catch (error) {
      if (!(error instanceof ParleyError)) throw error;
      return error;
    }
  }

  /** Ends the answer where whoever asked may not listen any more. */
  #watch(answer: StreamedAnswer): void {
    const { logger, times } = this.#settings;
    const onEnd = (error: ParleyError) => answer.fail(error);
    const stop = watchSignIn(signedIn(this.#request), { recheckMs: times.recheckMs, logger, onEnd });
    void answer.closed.then(stop);
  }

  #stream(parts: EventParts): FastifyReply {
    const { raw } = this.#reply;
    // Each byte that the client takes starts it anew, and there is always a heartbeat to be taken.
    raw.setTimeout(this.#settings.times.stallMs, () => raw.destroy());
    void this.#reply.headers({
      "content-type": eventPartsType,
      "cache-control": "no-store",
      // nginx would keep events back until its buffer is full.
      "x-accel-buffering": "no",
    });
    return this.#reply.send(parts);
  }

  /** Apollo Client reads the errors of an answer that is no 200 only where it has GraphQL's own media type. */
  #refuse(status: number, errors: readonly (GraphQLError | ParleyError)[]): FastifyReply {
    const type = "application/graphql-response+json";
    const accepted = this.#request.headers.accept?.includes(type) === true;
    const told = errors.map((error) => formatFault(error, this.#settings.logger));
    return this.#reply
      .code(status)
      .type(accepted ? `${type}; charset=utf-8` : "application/json; charset=utf-8")
      .header("cache-control", "no-store")
      .send(JSON.stringify({ errors: told }));
  }
}
