import type { Viewer } from "../../auth/viewer.js";
import { ParleyError } from "../../errors.js";

/** A connection that is kept open for subscriptions, of either transport. */
export interface LiveConnection {
  readonly viewer: Viewer;
  readonly closed: Promise<void>;
  /** Ends what runs on it and tells the client why. Resolves when it is closed, which takes about a second at most. */
  end(): Promise<void>;
}

/** All open connections of this server, counted by viewer. */
export class LiveConnections {
  readonly #maxPerViewer: number;
  readonly #byViewer = new Map<string, Set<LiveConnection>>();
  #end: Promise<void> | null = null;

  constructor(maxPerViewer: number) {
    this.#maxPerViewer = maxPerViewer;
  }

  /** Why no connection is taken from anybody; null while they are taken. */
  refusal(): ParleyError | null {
    return this.#end === null ? null : shuttingDown();
  }

  /** Why one more connection of the viewer is not taken; null where it is. */
  refusalFor({ id }: Viewer): ParleyError | null {
    if (this.#end !== null) return shuttingDown();
    return (this.#byViewer.get(id)?.size ?? 0) < this.#maxPerViewer
      ? null
      : tooMany(`A viewer may have ${this.#maxPerViewer} open sockets and multipart subscriptions.`);
  }

  /** Counts the connection until it is closed. */
  keep(connection: LiveConnection): void {
    const { id } = connection.viewer;
    const connections = this.#byViewer.get(id) ?? new Set();
    this.#byViewer.set(id, connections.add(connection));
    void connection.closed.then(() => {
      connections.delete(connection);
      if (connections.size === 0) this.#byViewer.delete(id);
    });
  }

  /** Takes no more and ends those that are open. A second call waits for the first. */
  end(): Promise<void> {
    const open = [...this.#byViewer.values()].flatMap((connections) => [...connections]);
    return (this.#end ??= Promise.all(open.map((connection) => connection.end())).then(() => undefined));
  }
}

/** Beyond a limit that frees up again by itself. */
export function tooMany(message: string): ParleyError {
  return new ParleyError("RATE_LIMITED", message, { retryable: true });
}

export function shuttingDown(): ParleyError {
  return new ParleyError("SERVER_SHUTTING_DOWN", "This server is shutting down. Connect again in a moment.", {
    retryable: true,
  });
}
