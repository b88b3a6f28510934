import { createClient } from "graphql-ws";
import type { Client } from "graphql-ws";

import { authorizationOf } from "../sign-in/sign-in.js";
import type { SignIn } from "../sign-in/sign-in.js";
import { Watched } from "./watched.js";

/** How long the server may be silent before the connection counts as broken, in milliseconds. */
const pingMs = 10_000;

/** How long to stay away from a server that has said that there are too many connections, in milliseconds. */
const crowdedMs = 15_000;

/** The close code of a sign-in that is missing, or good no more. */
const forbidden = 4403;

/** The close code of one connection too many. */
const tooMany = 4429;

/** `crowded`: the server is there, and takes no further connection of this person. */
export type ConnectionState = "well" | "unreachable" | "crowded";

export interface Connection {
  socket: Client;
  /** As far as is known. */
  state: Watched<ConnectionState>;
  /** Opens nothing any more, and closes what is open. */
  end: () => void;
}

/**
 * One WebSocket for all subscriptions, opened when the first begins. It is not opened anew by itself: a library that does
 * so sends the variables of the beginning, and all events come again. `follow` begins anew with the last cursor.
 * `onForbidden` is called where the server closes it for the sign-in that it was opened with.
 */
export function openConnection(origin: string, signIn: SignIn, onForbidden: () => void): Connection {
  const state = new Watched<ConnectionState>("well");
  const ended = new AbortController();
  const url = new URL("/graphql", origin.replace(/^http/, "ws")).href;
  const socket = createClient({
    // Whoever wants to follow something meanwhile waits here for the one socket that all of them share.
    url: () => (state.get() === "crowded" ? roomMayBe(ended.signal).then(() => url) : url),
    connectionParams: () => authorizationOf(signIn.credential),
    retryAttempts: 0,
    keepAlive: pingMs,
    lazyCloseTimeout: 5_000,
    on: {
      connected: () => state.set("well"),
      // 1000: nobody is listening any more.
      closed: (event) => {
        if (!(event instanceof CloseEvent) || event.code === 1000) return;
        if (event.code === forbidden) onForbidden();
        else state.set(event.code === tooMany ? "crowded" : "unreachable");
      },
    },
  });
  const end = () => {
    ended.abort();
    void socket.dispose();
  };
  return { socket, state, end };
}

/** After a while, or as soon as somebody comes to this window: they may have closed another one. */
function roomMayBe(ended: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = new AbortController();
    const finish = () => {
      clearTimeout(timer);
      done.abort();
      resolve();
    };
    const timer = setTimeout(finish, crowdedMs * (1 + Math.random() / 2));
    window.addEventListener("focus", finish, { signal: done.signal });
    ended.addEventListener("abort", finish, { signal: done.signal });
    if (ended.aborted) finish();
  });
}
