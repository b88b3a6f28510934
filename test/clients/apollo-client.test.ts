import { ApolloClient, CombinedGraphQLErrors, HttpLink, InMemoryCache, gql } from "@apollo/client";
import type { ApolloLink, TypedDocumentNode } from "@apollo/client";
import { relayStylePagination } from "@apollo/client/utilities";
import UploadHttpLink from "apollo-upload-client/UploadHttpLink.mjs";
import { describe, expect, it } from "@jest/globals";
import { startedConversation } from "../helpers/operations.js";
import { sharedParley } from "../helpers/parley.js";
import { sha256Of, spokenWav } from "../helpers/sound.js";
import { storeConversations, storeTurns } from "../helpers/stored-conversations.js";
import { addAudioTurn, documentOf, listTurns, preflight } from "./operations.js";
import type { Asked, AudioTurn, Resumed, Started, TurnPage } from "./operations.js";

/** A document with the type of its data. */
function typed<Data>(document: string): TypedDocumentNode<Data> {
  return gql(document);
}

function clientOf(link: ApolloLink): ApolloClient {
  const typePolicies = { Conversation: { fields: { turns: relayStylePagination() } } };
  return new ApolloClient({ link, cache: new InMemoryCache({ typePolicies }) });
}

describe("Apollo Client", () => {
  const shared = sharedParley("sqlite");
  const plain = () => clientOf(new HttpLink({ uri: `${shared().url}/graphql` }));
  const uploading = (headers: Record<string, string> = preflight) =>
    clientOf(new UploadHttpLink({ uri: `${shared().url}/graphql`, headers }));

  it("starts a conversation, asks in it and comes back to it", async () => {
    const client = plain();
    const started = await client.mutate({
      mutation: typed<Started>(documentOf("StartConversation")),
      variables: { title: "Dogs" },
    });
    const conversationId = started.data?.startConversation.conversation.id;
    const asked = await client.mutate({
      mutation: typed<Asked>(documentOf("AskByText")),
      variables: { conversationId, text: "Is a golden retriever a good family dog?" },
    });
    const turn = asked.data?.addTextTurn.turn;
    expect(turn?.status).toBe("COMPLETED");
    expect(turn?.assistantMessage.transcript).toContain("family dog");
    const audio = await fetch(turn?.assistantMessage.audio.url ?? "");
    expect(Buffer.from(await audio.arrayBuffer()).toString("latin1", 0, 4)).toBe("RIFF");
    const resumed = await client.query({ query: typed<Resumed>(documentOf("ResumeConversation")) });
    expect(resumed.data?.conversations.nodes[0]).toMatchObject({
      id: conversationId,
      turns: { nodes: [{ position: 1 }] },
    });
  });

  it("uploads a recording with the preflight header, and is told about the header without it", async () => {
    const conversationId = await startedConversation(shared());
    const recording = new File([new Uint8Array(spokenWav())], "question.wav", { type: "audio/wav" });
    const input = { conversationId, audio: { upload: recording }, text: "What do you hear?" };
    const mutation = typed<AudioTurn>(addAudioTurn);
    const { data } = await uploading().mutate({ mutation, variables: { input } });
    expect(data?.addAudioTurn.turn).toMatchObject({
      status: "COMPLETED",
      userMessage: { audio: { byteLength: recording.size, sha256: sha256Of(spokenWav()) } },
    });
    const refused = uploading({}).mutate({ mutation, variables: { input } });
    await expect(refused).rejects.toMatchObject({
      statusCode: 400,
      bodyText: expect.stringContaining("apollo-require-preflight") as unknown,
    });
  });

  it("reads a conversation page by page into one list", async () => {
    const [id = ""] = await storeConversations(shared(), [{}]);
    const ids = await storeTurns(shared(), id, 7);
    const client = plain();
    const query = typed<TurnPage>(listTurns);
    const variables = { id, first: 3 };
    const list = client.watchQuery({ query, variables });
    const watching = list.subscribe(() => undefined);
    let page = (await client.query({ query, variables })).data;
    while (page?.conversation.turns.pageInfo.hasNextPage === true) {
      await list.fetchMore({ variables: { after: page.conversation.turns.pageInfo.endCursor } });
      page = client.readQuery({ query, variables }) ?? undefined;
    }
    watching.unsubscribe();
    expect(page?.conversation.turns.edges.map(({ node }) => node.id)).toEqual(ids);
  });

  it.each([
    ["a mistake in the input", { conversationId: "conv_1", text: "Hello" }, "NOT_FOUND"],
    ["a variable that does not fit", { conversationId: "conv_1", text: null }, "BAD_USER_INPUT"],
  ])("is told the code of %s", async (_name, variables, code) => {
    const error: unknown = await plain()
      .mutate({ mutation: gql(documentOf("AskByText")), variables })
      .catch((reason: unknown) => reason);
    const codes = CombinedGraphQLErrors.is(error)
      ? error.errors.map(({ extensions }) => extensions?.["code"])
      : [error];
    expect(codes).toEqual([code]);
  });
});
