import type { Socket } from "node:net";
import { afterEach } from "@jest/globals";
import cors from "@fastify/cors";
import { makeExecutableSchema } from "@graphql-tools/schema";
import Fastify from "fastify";
import type { FastifyInstance, FastifyRequest } from "fastify";
import type { GraphQLSchema } from "graphql";
import { pino } from "pino";
import { ParleyError } from "../../src/errors.js";
import { registerHostCheck } from "../../src/http/host-check.js";
import { registerHttpErrors } from "../../src/http/http-errors.js";
import { Subscriptions } from "../../src/http/live/subscriptions.js";
import type { SubscriptionOptions } from "../../src/http/live/subscriptions.js";
import { registerRequestId } from "../../src/http/request-id.js";
import { requireSignIn } from "../../src/http/sign-in.js";
import { nobodySignsIn } from "../../src/auth/authenticator.js";
import { newId } from "../../src/ids.js";
import { Channel, Signal } from "./channel.js";

const typeDefs = `
  type Query {
    hello: String!
    "So many letters."
    letters(count: Int!): String!
    "Answered when the test says so."
    held: String!
    broken: String
    turns(first: Int): [Query!]!
  }
  type Mutation {
    shout(text: String!): String!
  }
  type Subscription {
    "What the test sends into the channel of the name."
    news(channel: String!): News!
    refused: News!
    faulty: News!
  }
  type News {
    text: String!
    "The number of the context that it was read with."
    context: Int!
    broken: String
  }
`;

export interface News {
  text: string;
}

interface TestContext {
  number: number;
  viewerId: string;
  origin: string;
}

export interface LiveServerOptions extends Partial<Pick<SubscriptionOptions, "limits" | "times">> {
  http?: Partial<SubscriptionOptions["http"]>;
}

/** Nothing but subscriptions, on a free port, over a schema whose events the test sends. */
export class LiveServer {
  readonly subscriptions: Subscriptions;
  /** Every context that was made. */
  readonly contexts: TestContext[] = [];
  /** Every line that was logged. */
  readonly log: string[] = [];
  /** The bodies that came to the route of queries and mutations. */
  readonly passedOn: unknown[] = [];
  /** Somebody asks for `held`. */
  readonly asked = new Signal();
  /** What `held` is answered with. */
  readonly answer = new Signal<string>();
  url = "";
  readonly #app: FastifyInstance;
  readonly #sockets: Socket[] = [];
  readonly #channels = new Map<string, Signal<Channel<News>>>();

  private constructor(options: LiveServerOptions) {
    const logger = pino({ level: "debug" }, { write: (line: string) => void this.log.push(line) });
    const http = {
      publicUrl: null,
      corsOrigins: [],
      introspection: true,
      trustedProxies: 0,
      ...options.http,
    };
    this.#app = Fastify({ forceCloseConnections: true, genReqId: () => newId("req") });
    this.#app.server.on("connection", (socket) => void this.#sockets.push(socket));
    registerRequestId(this.#app);
    registerHttpErrors(this.#app, logger);
    registerHostCheck(this.#app, http.publicUrl);
    requireSignIn(this.#app, () => nobodySignsIn);
    this.subscriptions = new Subscriptions(this.#app, {
      schema: this.#schema(),
      authenticatorFor: () => nobodySignsIn,
      createContext: (viewer, origin) => this.#createContext(viewer.id, origin),
      http,
      limits: options.limits ?? { maxPerSocket: 100, maxSocketsPerViewer: 1_000 },
      maxEventCost: null,
      rates: { admitSocket: () => Promise.resolve(), admitOperation: () => Promise.resolve() },
      logger,
      times: options.times ?? {},
    });
    void this.#app.register(cors, { origin: [...http.corsOrigins] });
    this.#app.route({
      method: ["GET", "POST"],
      url: "/graphql",
      handler: (request, reply) => this.subscriptions.answer(request, reply) ?? this.#passOn(request),
    });
  }

  static async start(options: LiveServerOptions = {}): Promise<LiveServer> {
    const server = new LiveServer(options);
    running.add(server);
    server.url = await server.#app.listen({ host: "127.0.0.1", port: 0 });
    return server;
  }

  get endpoint(): string {
    return `${this.url}/graphql`;
  }

  get socketUrl(): string {
    return this.endpoint.replace("http", "ws");
  }

  get port(): number {
    return Number(new URL(this.url).port);
  }

  /** Bytes that the server took from its connections, so far. */
  receivedBytes(): number {
    return this.#sockets.reduce((sum, socket) => sum + socket.bytesRead, 0);
  }

  /** Resolves when somebody has subscribed to the channel. */
  channel(name: string): Promise<Channel<News>> {
    return this.#signal(name).come;
  }

  async close(): Promise<void> {
    running.delete(this);
    await this.#app.close();
  }

  #passOn({ body, query }: FastifyRequest): object {
    this.passedOn.push(body ?? query);
    return { data: "passed on" };
  }

  #signal(name: string): Signal<Channel<News>> {
    const signal = this.#channels.get(name) ?? new Signal<Channel<News>>();
    this.#channels.set(name, signal);
    return signal;
  }

  #subscribe(name: string): Channel<News> {
    const channel = new Channel<News>();
    this.#signal(name).tell(channel);
    return channel;
  }

  #createContext(viewerId: string, origin: string): TestContext {
    const context = { number: this.contexts.length + 1, viewerId, origin };
    this.contexts.push(context);
    return context;
  }

  #schema(): GraphQLSchema {
    const fail = () => {
      throw new Error("a secret of the server");
    };
    return makeExecutableSchema<TestContext>({
      typeDefs,
      resolvers: {
        Query: {
          hello: () => "Hello",
          letters: (_root, { count }: { count: number }) => "x".repeat(count),
          held: () => {
            this.asked.tell(undefined);
            return this.answer.come;
          },
          broken: fail,
          turns: () => [],
        },
        Mutation: { shout: (_root, { text }: { text: string }) => text.toUpperCase() },
        Subscription: {
          news: {
            subscribe: (_root, { channel }: { channel: string }) => this.#subscribe(channel),
            resolve: (news: News) => news,
          },
          refused: {
            subscribe: () => {
              throw new ParleyError("NOT_FOUND", "There is no such channel.");
            },
          },
          faulty: { subscribe: fail },
        },
        News: { context: (_news, _args, { number }) => number, broken: fail },
      },
    });
  }
}

const running = new Set<LiveServer>();

afterEach(async () => {
  for (const server of [...running]) await server.close();
});
