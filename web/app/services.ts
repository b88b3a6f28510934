import type { ApolloClient } from "@apollo/client";
import { createContext, use } from "react";

import { addTurn } from "./client/add-turn.js";
import { createApolloClient } from "./client/apollo.js";
import { openConnection } from "./client/connection.js";
import type { Connection } from "./client/connection.js";
import { Outbox } from "./composer/outbox.js";
import { heard } from "./conversation/heard.js";
import { go, place } from "./place.js";

/** What the page is made with, constructed once. */
export interface Services {
  client: ApolloClient;
  connection: Connection;
  outbox: Outbox;
}

export function createServices(origin: string): Services {
  const connection = openConnection(origin);
  const client = createApolloClient(origin, connection);
  const outbox = new Outbox(client, (turn, conversationId, begins) => {
    // The events may tell of it later: it is shown from now on.
    addTurn(client.cache, conversationId, turn);
    const here = place.get();
    const isHere = here.kind === "conversation" ? here.id === conversationId : begins;
    // Somebody who has gone elsewhere meanwhile is not fetched back, and hears nothing.
    if (!isHere) return;
    heard.begin(turn.id);
    if (begins) go({ kind: "conversation", id: conversationId, begun: true });
  });
  return { client, connection, outbox };
}

export const ServicesContext = createContext<Services | null>(null);

export function useServices(): Services {
  const services = use(ServicesContext);
  if (services === null) throw new Error("The page is drawn without its services.");
  return services;
}
