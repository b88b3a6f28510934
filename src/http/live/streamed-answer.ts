import type { ServerResponse } from "node:http";
import { finished } from "node:stream/promises";
import { setTimeout as delay } from "node:timers/promises";
import type { ParleyError } from "../../errors.js";
import type { EventParts } from "./event-parts.js";
import { shuttingDown } from "./live-connections.js";
import type { LiveConnection } from "./live-connections.js";
import { leaveMs } from "./settings.js";

/** An HTTP answer that goes on for as long as its subscription. */
export class StreamedAnswer implements LiveConnection {
  /** Resolves when the answer is complete, or nobody is there any more to receive it. */
  readonly closed: Promise<void>;
  readonly #response: ServerResponse;
  #parts: EventParts | null = null;
  /** Why nothing more comes, once it is known. */
  #why: ParleyError | null = null;

  constructor(response: ServerResponse) {
    this.#response = response;
    this.closed = finished(response).catch(() => undefined);
  }

  /** What the answer is made of, once the subscription is open. */
  send(parts: EventParts): EventParts {
    this.#parts = parts;
    if (this.#why !== null) parts.fail(this.#why);
    return parts;
  }

  /** Says why nothing more comes, and ends. */
  fail(why: ParleyError): void {
    this.#why ??= why;
    this.#parts?.fail(why);
  }

  async end(): Promise<void> {
    this.fail(shuttingDown());
    await Promise.race([this.closed, delay(leaveMs, undefined, { ref: false })]);
    this.#response.destroy();
    await this.closed;
  }
}
