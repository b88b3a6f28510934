import type { ServerResponse } from "node:http";
import { finished } from "node:stream/promises";
import { setTimeout as delay } from "node:timers/promises";
import type { Viewer } from "../../auth/viewer.js";
import type { EventParts } from "./event-parts.js";
import { shuttingDown } from "./live-connections.js";
import type { LiveConnection } from "./live-connections.js";
import { leaveMs } from "./settings.js";

/** An HTTP answer that goes on for as long as its subscription. */
export class StreamedAnswer implements LiveConnection {
  readonly viewer: Viewer;
  /** Resolves when the answer is complete, or nobody is there any more to receive it. */
  readonly closed: Promise<void>;
  readonly #response: ServerResponse;
  #parts: EventParts | null = null;
  #ending = false;

  constructor(viewer: Viewer, response: ServerResponse) {
    this.viewer = viewer;
    this.#response = response;
    this.closed = finished(response).catch(() => undefined);
  }

  /** What the answer is made of, once the subscription is open. */
  send(parts: EventParts): EventParts {
    this.#parts = parts;
    if (this.#ending) parts.fail(shuttingDown());
    return parts;
  }

  async end(): Promise<void> {
    this.#ending = true;
    this.#parts?.fail(shuttingDown());
    await Promise.race([this.closed, delay(leaveMs, undefined, { ref: false })]);
    this.#response.destroy();
    await this.closed;
  }
}
