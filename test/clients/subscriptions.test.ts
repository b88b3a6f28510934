import { readFileSync } from "node:fs";
import { ApolloClient, HttpLink, InMemoryCache, gql } from "@apollo/client";
import type { ApolloLink, TypedDocumentNode } from "@apollo/client";
import { GraphQLWsLink } from "@apollo/client/link/subscriptions";
import { describe, expect, it } from "@jest/globals";
import { Client, fetchExchange, subscriptionExchange } from "@urql/core";
import { createClient } from "graphql-ws";
import { parse } from "graphql";
import { WebSocket } from "ws";
import { askByText, startedConversation, turnById } from "../helpers/operations.js";
import { sharedParley } from "../helpers/parley.js";
import { Heard } from "../helpers/turn-events.js";
import type { TurnEvent } from "../helpers/turn-events.js";
import { documentOf } from "./operations.js";

interface Data {
  turnEvents: TurnEvent;
}
type Events = AsyncIterable<TurnEvent>;

const page = readFileSync(new URL("../../docs/subscriptions.md", import.meta.url), "utf8");
const followTurn = /```graphql\n(.*?)```/s.exec(page)?.[1] ?? "";
const shared = sharedParley("sqlite");
const http = () => `${shared().url}/graphql`;
const socketOptions = () => ({ url: http().replace("http", "ws"), webSocketImpl: WebSocket });

/** Each as docs/subscriptions.md configures it. */
const clients: Record<string, (turnId: string) => { events: Events; close: () => unknown }> = {
  "Apollo Client, unconfigured": (turnId) => overApollo(new HttpLink({ uri: http() }), turnId),
  "Apollo Client over a WebSocket": (turnId) => {
    const socket = createClient(socketOptions());
    const { events } = overApollo(new GraphQLWsLink(socket), turnId);
    return { events, close: () => socket.dispose() };
  },
  urql: (turnId) => {
    const socket = createClient(socketOptions());
    const client = new Client({
      url: http(),
      exchanges: [
        fetchExchange,
        subscriptionExchange({
          forwardSubscription: ({ query, variables }) => ({
            subscribe: (sink) => ({
              unsubscribe: socket.subscribe(
                { query: query ?? "", variables: (variables ?? {}) as Record<string, unknown> },
                sink as Parameters<typeof socket.subscribe>[1],
              ),
            }),
          }),
        }),
      ],
    });
    const source = client.subscription<Data>(followTurn, { turnId });
    const events = eventsOf((next, end) =>
      source.subscribe(({ data, hasNext }) => {
        if (data !== undefined) next(data);
        if (!hasNext) end();
      }),
    );
    return { events, close: () => socket.dispose() };
  },
  "graphql-ws": (turnId) => {
    const client = createClient(socketOptions());
    const results = client.iterate<Data>({ query: followTurn, variables: { turnId } });
    return { events: dataOf(results), close: () => client.dispose() };
  },
};

function overApollo(link: ApolloLink, turnId: string) {
  const client = new ApolloClient({ link, cache: new InMemoryCache() });
  const query: TypedDocumentNode<Data> = gql(followTurn);
  const observable = client.subscribe({ query, variables: { turnId }, fetchPolicy: "no-cache" });
  const events = eventsOf((next, end, fail) =>
    observable.subscribe({
      next: ({ data, error }) => (data == null ? fail(error) : next(data)),
      complete: end,
      error: fail,
    }),
  );
  return { events, close: () => client.stop() };
}

async function* dataOf(
  results: AsyncIterable<{ data?: Data | null | undefined }>,
): AsyncGenerator<TurnEvent> {
  for await (const { data } of results) if (data != null) yield data.turnEvents;
}

/** The events of a client that calls back. */
async function* eventsOf(
  subscribe: (next: (data: Data) => void, end: () => void, fail: (error: unknown) => void) => unknown,
): AsyncGenerator<TurnEvent> {
  const events: TurnEvent[] = [];
  await new Promise<void>((resolve, reject) => {
    subscribe(
      ({ turnEvents }) => void events.push(turnEvents),
      resolve,
      (error) => reject(new Error(String(error))),
    );
  });
  yield* events;
}

describe("the operation that the documentation shows", () => {
  it("is valid and stands in the explorers, but for what they explain", () => {
    expect(parse(followTurn).definitions).toHaveLength(1);
    expect(documentOf("FollowTurn")).toContain("subscription FollowTurn($turnId: ID!, $after: String)");
  });

  it.each(Object.keys(clients))("follows a turn from its start to its end: %s", async (name) => {
    const parley = shared();
    const conversationId = await startedConversation(parley);
    const turn = await askByText(parley, conversationId, "Say 'one two three'.", { waitMs: 0 });
    const client = clients[name]?.(turn.id);
    if (client === undefined) throw new Error(`there is no client ${name}`);
    const heard = await new Heard().takeAll(client.events);
    await client.close();
    expect([heard.types[0], heard.types.at(-1)]).toEqual(["TurnStarted", "TurnEnded"]);
    const message = (await turnById(parley, turn.id))?.assistantMessage;
    expect(heard.transcript).toBe(message?.transcript);
    expect(heard.sound.byteLength).toBe((message?.audio?.byteLength ?? 0) - 44);
  });
});
