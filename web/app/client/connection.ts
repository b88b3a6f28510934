import { createClient } from "graphql-ws";
import type { Client } from "graphql-ws";

import { Watched } from "./watched.js";

/** How long the server may be silent before the connection counts as broken, in milliseconds. */
const pingMs = 10_000;

export interface Connection {
  socket: Client;
  /** Whether the server can be reached, as far as is known. */
  reachable: Watched<boolean>;
}

/**
 * One WebSocket for all subscriptions, opened when the first begins. It is not opened anew by itself: a library that does
 * so sends the variables of the beginning, and all events come again. `follow` begins anew with the last cursor.
 */
export function openConnection(origin: string): Connection {
  const reachable = new Watched(true);
  const socket = createClient({
    url: new URL("/graphql", origin.replace(/^http/, "ws")).href,
    retryAttempts: 0,
    keepAlive: pingMs,
    lazyCloseTimeout: 5_000,
    on: {
      connected: () => reachable.set(true),
      // 1000: nobody is listening any more.
      closed: (event) => {
        if (event instanceof CloseEvent && event.code !== 1000) reachable.set(false);
      },
    },
  });
  return { socket, reachable };
}
