import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { answerSubscription } from "./http-subscriptions.js";
import { LiveConnections } from "./live-connections.js";
import { serveSockets } from "./live-sockets.js";
import { liveTimes } from "./settings.js";
import type { LiveSettings, LiveTimes } from "./settings.js";

export interface SubscriptionOptions extends Omit<LiveSettings, "times"> {
  /** For tests. Default: `liveTimes`. */
  times?: Partial<LiveTimes>;
}

/**
 * Serves subscriptions: over WebSockets at `/graphql`, and as multipart answers to HTTP requests. Both check operations
 * as Apollo does, and both count towards the same limits.
 */
export class Subscriptions {
  readonly #connections: LiveConnections;
  readonly #settings: LiveSettings;

  constructor(app: FastifyInstance, options: SubscriptionOptions) {
    this.#settings = { ...options, times: { ...liveTimes, ...options.times } };
    this.#connections = new LiveConnections(options.limits.maxSocketsPerViewer, options.maxEventCost);
    serveSockets(app.server, "/graphql", this.#connections, this.#settings);
    // The HTTP server does not know of upgraded connections, and would wait for them.
    app.addHook("preClose", () => this.end());
  }

  /** The answer to a subscription that was sent over HTTP; null for every other request. */
  answer(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> | null {
    return answerSubscription(request, reply, this.#connections, this.#settings);
  }

  /** Tells every client that the server goes away, ends all that runs for it, and takes nothing new. */
  end(): Promise<void> {
    return this.#connections.end();
  }
}
