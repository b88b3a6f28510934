import { once } from "node:events";
import type { ServerResponse } from "node:http";

/** Server-sent events on a response. */
export interface EventStream {
  /** Resolves when the client's side has room for more; rejects when the signal aborts meanwhile. */
  send(payload: string): Promise<void>;
}

export function createEventStream(response: ServerResponse, signal: AbortSignal): EventStream {
  return {
    async send(payload) {
      signal.throwIfAborted();
      if (!response.write(`data: ${payload}\n\n`)) await once(response, "drain", { signal });
    },
  };
}
