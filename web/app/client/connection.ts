import { createClient } from "graphql-ws";
import type { Client } from "graphql-ws";

import { authorizationOf } from "../sign-in/sign-in.js";
import type { SignIn } from "../sign-in/sign-in.js";
import { Watched } from "./watched.js";

/** How long the server may be silent before the connection counts as broken, in milliseconds. */
const pingMs = 10_000;

/** The close code of a sign-in that is missing, or good no more. */
const forbidden = 4403;

export interface Connection {
  socket: Client;
  /** Whether the server can be reached, as far as is known. */
  reachable: Watched<boolean>;
}

/**
 * One WebSocket for all subscriptions, opened when the first begins. It is not opened anew by itself: a library that does
 * so sends the variables of the beginning, and all events come again. `follow` begins anew with the last cursor.
 * `onForbidden` is called where the server closes it for the sign-in that it was opened with.
 */
export function openConnection(origin: string, signIn: SignIn, onForbidden: () => void): Connection {
  const reachable = new Watched(true);
  const socket = createClient({
    url: new URL("/graphql", origin.replace(/^http/, "ws")).href,
    connectionParams: () => authorizationOf(signIn.credential),
    retryAttempts: 0,
    keepAlive: pingMs,
    lazyCloseTimeout: 5_000,
    on: {
      connected: () => reachable.set(true),
      // 1000: nobody is listening any more.
      closed: (event) => {
        if (!(event instanceof CloseEvent) || event.code === 1000) return;
        if (event.code === forbidden) onForbidden();
        else reachable.set(false);
      },
    },
  });
  return { socket, reachable };
}
