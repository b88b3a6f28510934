import type { Viewer } from "../../auth/viewer.js";
import { ParleyError, tooManyAtOnce } from "../../errors.js";
import { EventCosts } from "./event-costs.js";

/** A connection that is kept open for subscriptions, of either transport. */
export interface LiveConnection {
  readonly closed: Promise<void>;
  /** Ends what runs on it and tells the client why. Resolves when it is closed, which takes about a second at most. */
  end(): Promise<void>;
}

/** All open connections of this server, counted by viewer once it is known whose they are. */
export class LiveConnections {
  readonly eventCosts: EventCosts;
  readonly #maxPerViewer: number;
  readonly #open = new Set<LiveConnection>();
  readonly #byViewer = new Map<string, number>();
  #end: Promise<void> | null = null;

  constructor(maxPerViewer: number, maxEventCost: number | null) {
    this.#maxPerViewer = maxPerViewer;
    this.eventCosts = new EventCosts(maxEventCost);
  }

  /** Why no connection is taken from anybody; null while they are taken. */
  refusal(): ParleyError | null {
    return this.#end === null ? null : shuttingDown();
  }

  /** Ends it with the others, unless it is closed before. */
  keep(connection: LiveConnection): void {
    this.#open.add(connection);
    void connection.closed.then(() => this.#open.delete(connection));
  }

  /** Counts a connection for its viewer until it is closed; answers why it is not taken, null where it is. */
  admit({ id }: Viewer, { closed }: LiveConnection): ParleyError | null {
    if (this.#end !== null) return shuttingDown();
    const count = this.#byViewer.get(id) ?? 0;
    if (count >= this.#maxPerViewer)
      return tooManyAtOnce(
        `A viewer may have ${this.#maxPerViewer} open sockets and multipart subscriptions.`,
      );
    this.#byViewer.set(id, count + 1);
    void closed.then(() => this.#left(id));
    return null;
  }

  /** Takes no more and ends those that are open. A second call waits for the first. */
  end(): Promise<void> {
    const open = [...this.#open];
    return (this.#end ??= Promise.all(open.map((connection) => connection.end())).then(() => undefined));
  }

  #left(id: string): void {
    const count = (this.#byViewer.get(id) ?? 1) - 1;
    if (count === 0) this.#byViewer.delete(id);
    else this.#byViewer.set(id, count);
  }
}

export function shuttingDown(): ParleyError {
  return new ParleyError("SERVER_SHUTTING_DOWN", "This server is shutting down. Connect again in a moment.", {
    retryable: true,
  });
}
