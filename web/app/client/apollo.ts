import { ApolloClient, InMemoryCache } from "@apollo/client";
import { GraphQLWsLink } from "@apollo/client/link/subscriptions";
import { relayStylePagination } from "@apollo/client/utilities";
import UploadHttpLink from "apollo-upload-client/UploadHttpLink.mjs";
import { OperationTypeNode } from "graphql";

import type { SignIn } from "../sign-in/sign-in.js";
import { createSignInLink } from "../sign-in/sign-in-link.js";
import type { Connection } from "./connection.js";
import { turnsField } from "./turns-field.js";

/** Queries, mutations and uploads go over HTTP, subscriptions over the WebSocket; all of them as whoever has signed in. */
export function createApolloClient(origin: string, { socket }: Connection, signIn: SignIn): ApolloClient {
  const http = new UploadHttpLink({
    uri: new URL("/graphql", origin).href,
    // Without it the server refuses uploads: browsers send multipart requests to any origin unasked.
    headers: { "apollo-require-preflight": "true" },
  });
  return new ApolloClient({
    link: createSignInLink(signIn).split(
      ({ operationType }) => operationType === OperationTypeNode.SUBSCRIPTION,
      new GraphQLWsLink(socket),
      http,
    ),
    cache: new InMemoryCache({
      typePolicies: {
        Query: { fields: { conversations: relayStylePagination(["filter"]) } },
        Conversation: { fields: { turns: turnsField } },
        // There is one of it, and it has no id.
        Capabilities: { keyFields: [] },
      },
    }),
  });
}
