import type { ApolloClient } from "@apollo/client";
import { createContext, use } from "react";

import { DataExport } from "./account/data-export.js";
import { Deletion } from "./account/deletion.js";
import { Clips } from "./audio/clips.js";
import { silence } from "./audio/playback.js";
import { addTurn } from "./client/add-turn.js";
import { createApolloClient } from "./client/apollo.js";
import { openConnection } from "./client/connection.js";
import type { Connection } from "./client/connection.js";
import { ClipAddressDocument, WhoIsThereDocument } from "./client/generated/operations.js";
import { Outbox } from "./composer/outbox.js";
import { heard } from "./conversation/heard.js";
import { go, place } from "./place.js";
import { authorizationOf, SignIn } from "./sign-in/sign-in.js";
import type { SignedIn } from "./sign-in/sign-in.js";

/** What the page is made with for one person; whoever comes next gets everything new. */
export interface Services {
  signIn: SignIn;
  client: ApolloClient;
  connection: Connection;
  outbox: Outbox;
  clips: Clips;
  dataExport: DataExport;
  deletion: Deletion;
  /** Stops what plays and closes what is open. Nothing that was under way shows itself any more. */
  end: () => void;
}

export function createServices(origin: string, signedIn: SignedIn | null): Services {
  const signIn = new SignIn(signedIn);
  // The same credential may be fine, and only the server unable to check it: HTTP tells which, and the link asks.
  const connection = openConnection(origin, signIn, () => void lookWhoIsThere().catch(() => undefined));
  const client = createApolloClient(origin, connection, signIn);
  const lookWhoIsThere = () => client.query({ query: WhoIsThereDocument, fetchPolicy: "no-cache" });
  const dataExport = new DataExport(origin, signIn);
  const deletion = new Deletion(client, signIn);
  let isOver = false;
  const outbox = new Outbox(client, (turn, conversationId, begins) => {
    if (isOver) return;
    // The events may tell of it later: it is shown from now on.
    addTurn(client.cache, conversationId, turn);
    const here = place.get();
    const isHere = here.kind === "conversation" ? here.id === conversationId : begins;
    // Somebody who has gone elsewhere meanwhile is not fetched back, and hears nothing.
    if (!isHere) return;
    heard.beginUnlessStopped(turn.id);
    if (begins) go({ kind: "conversation", id: conversationId, begun: true });
  });
  const end = () => {
    isOver = true;
    silence();
    dataExport.cancel();
    client.stop();
    connection.end();
  };
  return {
    signIn,
    client,
    connection,
    outbox,
    clips: createClips(client, signIn),
    dataExport,
    deletion,
    end,
  };
}

function createClips(client: ApolloClient, signIn: SignIn): Clips {
  return new Clips({
    headers: () => authorizationOf(signIn.credential),
    readAnew: async (clip) => {
      const variables = { id: clip.id };
      const { data } = await client.query({
        query: ClipAddressDocument,
        variables,
        fetchPolicy: "network-only",
      });
      return data?.node?.__typename === "AudioClip" ? data.node : clip;
    },
  });
}

export const ServicesContext = createContext<Services | null>(null);

export function useServices(): Services {
  const services = use(ServicesContext);
  if (services === null) throw new Error("The page is drawn without its services.");
  return services;
}
