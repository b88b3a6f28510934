import { Readable } from "node:stream";
import type { GraphQLFormattedError } from "graphql";
import type { Logger } from "../../logger.js";
import { formatFault, formatResult } from "../error-format.js";
import { withRequestId } from "../request-id.js";
import type { EventResults } from "./run-subscription.js";

/** The `Content-Type` of an answer that is made of these parts. */
export const eventPartsType = 'multipart/mixed; boundary="graphql"; subscriptionSpec=1.0';

const boundary = "\r\n--graphql";

export interface EventPartsOptions {
  /** Of the request whose answer this is. */
  requestId: string;
  heartbeatMs: number;
  logger: Logger;
}

/**
 * The results of a subscription as the body of Apollo's multipart protocol: a part for each, and an empty one now and
 * then, so that nobody in between takes the connection for a dead one. The next event is asked for when the reader has
 * taken the last part. Ending or destroying it returns the iterator.
 */
export class EventParts extends Readable {
  readonly #events: EventResults;
  readonly #options: EventPartsOptions;
  readonly #heartbeat: NodeJS.Timeout;
  /** The reader has taken all there is. */
  #wanted = false;
  #awaitsEvent = false;
  #ended = false;

  constructor(events: EventResults, options: EventPartsOptions) {
    super({ highWaterMark: 1 });
    this.#events = events;
    this.#options = options;
    this.#heartbeat = setInterval(() => {
      // None is kept for a reader that is behind.
      if (this.#wanted) this.#push({});
    }, options.heartbeatMs);
    // Clients see the end of a part by the boundary behind it, so each part ends with the next one's.
    this.push(boundary);
    this.#push({});
  }

  /** Says why nothing more comes, and ends. */
  fail(error: unknown): void {
    if (this.#ended) return;
    this.#push({ payload: null, errors: [this.#describe(error)] });
    this.#end();
  }

  override _read(): void {
    this.#wanted = true;
    if (!this.#awaitsEvent && !this.#ended) void withRequestId(this.#options.requestId, () => this.#next());
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#stop();
    done(error);
  }

  async #next(): Promise<void> {
    this.#awaitsEvent = true;
    try {
      const event = await this.#events.next();
      this.#awaitsEvent = false;
      if (this.#ended) return;
      if (event.done === true) this.#end();
      else this.#push({ payload: formatResult(event.value, this.#options.logger) });
    } catch (error) {
      this.fail(error);
    }
  }

  #push(part: object): void {
    this.#wanted = false;
    this.push(`\r\nContent-Type: application/json\r\n\r\n${JSON.stringify(part)}${boundary}`);
  }

  #end(): void {
    this.push("--\r\n");
    this.push(null);
    this.#stop();
  }

  #stop(): void {
    this.#ended = true;
    clearInterval(this.#heartbeat);
    // A source that can't even end is told of in the log.
    this.#events.return?.().catch((error: unknown) => this.#describe(error));
  }

  #describe(error: unknown): GraphQLFormattedError {
    const { requestId, logger } = this.#options;
    return withRequestId(requestId, () => formatFault(error, logger));
  }
}
