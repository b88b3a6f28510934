import { setImmediate as nextTurn, setTimeout as delay } from "node:timers/promises";
import { execute, OperationTypeNode } from "graphql";
import type { ExecutionArgs, GraphQLError } from "graphql";
import { CloseCode, makeServer } from "graphql-ws";
import type { OperationResult, SubscribePayload } from "graphql-ws";
import type { RawData, WebSocket } from "ws";
import { unauthenticated } from "../../auth/sign-in.js";
import type { SignIn } from "../../auth/sign-in.js";
import { ParleyError, tooManyAtOnce } from "../../errors.js";
import type { Viewer } from "../../auth/viewer.js";
import { newId } from "../../ids.js";
import type { CameFrom } from "../../services/rates/admission.js";
import { formatFault, formatResult } from "../error-format.js";
import type { ToldCost } from "../limits/query-cost.js";
import { withRequestId } from "../request-id.js";
import { admitOperation, refusedFor } from "./admit-operation.js";
import type { AdmittedOperation } from "./admit-operation.js";
import type { LiveConnection, LiveConnections } from "./live-connections.js";
import { runSubscription } from "./run-subscription.js";
import { leaveMs } from "./settings.js";
import { signInOf } from "./socket-sign-in.js";
import { watchSignIn } from "./watch-sign-in.js";
import type { LiveSettings } from "./settings.js";

/** HTTP's 429 in the range that is left to applications. */
const tooManySockets = 4429;
/** Besides one message of each operation: acknowledgements, pongs and refusals that a client has not taken yet. */
const maxUnsentAnswers = 32;

export interface LiveSocketSettings extends LiveSettings {
  connections: LiveConnections;
  /** The header of the request that opened the socket. */
  authorization: string | undefined;
  /** Where audio URLs begin. */
  origin: string;
  from: CameFrom;
}

interface Running {
  /** Null while it is only counted. */
  admitted: AdmittedOperation | null;
  /** Of a subscription that has begun. */
  results: AsyncIterator<unknown> | null;
}

/** One WebSocket that speaks graphql-transport-ws; the protocol itself is graphql-ws's part. */
export class LiveSocket implements LiveConnection {
  readonly closed: Promise<void>;
  readonly #socket: WebSocket;
  readonly #settings: LiveSocketSettings;
  /** By the message that asked for them: a client may use an id again while its operation is still being ended. */
  readonly #running = new Map<SubscribePayload, Running>();
  /** Who speaks, from the acknowledgement of `connection_init` on. */
  #signIn: SignIn | null = null;
  #unsent = 0;
  #answersPing = true;
  #onAnswered: () => void = () => undefined;

  constructor(socket: WebSocket, settings: LiveSocketSettings) {
    this.#socket = socket;
    this.#settings = settings;
    const pinging = setInterval(() => setImmediate(() => this.#ping()), settings.times.pingMs).unref();
    const onClosed = this.#openProtocol();
    this.closed = new Promise((resolve) => {
      socket.on("close", (code, reason) => {
        clearInterval(pinging);
        onClosed(code, reason.toString()).catch((error: unknown) => this.#logFault(error));
        this.#endSubscriptions();
        resolve();
      });
    });
    socket.on("pong", () => (this.#answersPing = true));
    // Frames that break the protocol or the limit of size: ws closes the socket with the code that stands for it.
    socket.on("error", (error) => settings.logger.debug({ err: error }, "a socket was closed for an error"));
  }

  /** Queries and mutations may take a moment to be answered first, since they are not heard of again. */
  async end(): Promise<void> {
    await Promise.race([this.#answered(), this.closed, delay(leaveMs, undefined, { ref: false })]);
    this.#socket.close(1001, "Going away");
    await this.closed;
  }

  /**
   * Cuts the socket off where it has not answered the last ping, or else sends the next. Called when what has arrived was
   * read: after the process stood still for a while, timers come before answers that have long been there.
   */
  #ping(): void {
    if (!this.#answersPing) return this.#socket.terminate();
    this.#answersPing = false;
    this.#socket.ping();
  }

  #openProtocol(): (code: number, reason: string) => Promise<void> {
    const { logger, times } = this.#settings;
    const server = makeServer({
      connectionInitWaitTimeout: times.initMs,
      onConnect: ({ connectionParams }) => this.#welcome(connectionParams),
      onSubscribe: (_context, _id, payload) => this.#admit(payload),
      execute: (args) => execute({ ...args, contextValue: this.#createContext() }),
      subscribe: (args) => runSubscription(args, () => this.#createContext()),
      onOperation: (_context, _id, payload, _args, result) => this.#begun(payload, result),
      onNext: (_context, _id, payload, _args, result) =>
        formatResult({ ...result, ...this.#costOf(payload) }, logger),
      onError: (_context, _id, _payload, errors) => errors.map((error) => formatFault(error, logger)),
      onComplete: (_context, _id, payload) => this.#left(payload),
    });
    return server.opened(
      {
        protocol: this.#socket.protocol,
        send: (text) => this.#send(text),
        close: (code, reason) => this.#socket.close(code, reason),
        onMessage: (handle) => this.#socket.on("message", (data) => void this.#receive(data, handle)),
      },
      undefined,
    );
  }

  /** Each message has a request id of its own, for as long as what it asks for runs. */
  async #receive(data: RawData, handle: (text: string) => Promise<void>): Promise<void> {
    // Until a closed socket's client has taken leave its messages still come.
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    try {
      await withRequestId(newId("req"), () => handle(Buffer.isBuffer(data) ? data.toString() : ""));
    } catch (error) {
      this.#logFault(error);
      this.#socket.close(CloseCode.InternalServerError, "Internal server error");
    }
  }

  /** A close code that graphql-ws's own client comes back from: with a new token it may be welcome. */
  async #welcome(parameters: Record<string, unknown> | undefined): Promise<boolean> {
    const { authenticatorFor, from, authorization, connections, times, logger } = this.#settings;
    try {
      const signIn = await signInOf(authenticatorFor(from.address), parameters, authorization);
      const refusal = connections.admit(signIn.viewer, this);
      if (refusal !== null) {
        this.#socket.close(tooManySockets, refusal.message);
        return false;
      }
      const onEnd = (error: ParleyError) => this.#socket.close(CloseCode.Forbidden, error.message);
      void this.closed.then(watchSignIn(signIn, { recheckMs: times.recheckMs, logger, onEnd }));
      this.#signIn = signIn;
      return true;
    } catch (error) {
      if (!(error instanceof ParleyError)) throw error;
      this.#socket.close(CloseCode.Forbidden, error.message);
      return false;
    }
  }

  async #admit(payload: SubscribePayload): Promise<ExecutionArgs | readonly GraphQLError[]> {
    const { limits } = this.#settings;
    if (this.#running.size >= limits.maxPerSocket) {
      const message = `At most ${limits.maxPerSocket} operations may run on a socket at once.`;
      return refusedFor(tooManyAtOnce(message)).refused;
    }
    this.#running.set(payload, { admitted: null, results: null });
    const admitted = await admitOperation(payload, { ...this.#settings, viewer: this.#viewer });
    if ("refused" in admitted) {
      this.#left(payload);
      return admitted.refused;
    }
    const { schema, document, operationName, variableValues } = admitted;
    this.#running.set(payload, { admitted, results: null });
    return { schema, document, operationName, variableValues };
  }

  #begun(payload: SubscribePayload, result: OperationResult): void {
    const running = this.#running.get(payload);
    if (running !== undefined && "next" in result) running.results = result;
  }

  /** As over HTTP; the events of a subscription tell no cost. */
  #costOf(payload: SubscribePayload): { extensions?: { cost: ToldCost } } {
    const admitted = this.#running.get(payload)?.admitted;
    return admitted == null || isSubscription(admitted) ? {} : { extensions: { cost: admitted.cost } };
  }

  #left(payload: SubscribePayload): void {
    this.#running.get(payload)?.admitted?.release();
    this.#running.delete(payload);
    this.#onAnswered();
  }

  /** Resolves when no query or mutation is running. */
  async #answered(): Promise<void> {
    const answering = () =>
      [...this.#running.values()].some(({ admitted }) => admitted === null || !isSubscription(admitted));
    while (answering()) await new Promise<void>((resolve) => (this.#onAnswered = resolve));
    // The message that an operation is complete goes out right after it has left.
    await nextTurn();
  }

  /** Those, too, that graphql-ws has lost sight of because their id was used again before they had begun. */
  #endSubscriptions(): void {
    for (const { admitted, results } of this.#running.values()) {
      admitted?.release();
      results?.return?.().catch((error: unknown) => this.#logFault(error));
    }
  }

  #createContext(): object {
    const { createContext, origin, from } = this.#settings;
    return createContext(this.#viewer, origin, from);
  }

  get #viewer(): Viewer {
    // graphql-ws runs nothing before it has acknowledged the connection.
    if (this.#signIn === null) throw unauthenticated("Sign in first.");
    return this.#signIn.viewer;
  }

  /**
   * Resolves when the operating system has taken the message, so that a client that reads slowly holds back the events
   * of its own operations. A client that takes nothing at all is not read any more, so that answers don't pile up
   * either; the ping that it then leaves unanswered ends it.
   */
  async #send(text: string): Promise<void> {
    // Nothing goes on for a socket that is being closed; a resolved promise here would let endless events spin.
    if (this.#socket.readyState !== this.#socket.OPEN) return this.closed;
    this.#unsent += 1;
    this.#holdOrResume();
    await new Promise<void>((resolve) => this.#socket.send(text, () => resolve()));
    this.#unsent -= 1;
    this.#holdOrResume();
  }

  #holdOrResume(): void {
    const tooManyUnsent = this.#unsent > this.#running.size + maxUnsentAnswers;
    if (tooManyUnsent && !this.#socket.isPaused) this.#socket.pause();
    if (!tooManyUnsent && this.#socket.isPaused) this.#socket.resume();
  }

  #logFault(error: unknown): void {
    this.#settings.logger.error({ err: error }, "a socket failed by a fault of the server");
  }
}

function isSubscription({ operation }: AdmittedOperation): boolean {
  return operation.operation === OperationTypeNode.SUBSCRIPTION;
}
