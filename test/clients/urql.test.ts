import { Client, fetchExchange } from "@urql/core";
import type { OperationResult } from "@urql/core";
import { describe, expect, it } from "@jest/globals";
import { startedConversation } from "../helpers/operations.js";
import { sharedParley } from "../helpers/parley.js";
import { sha256Of, spokenWav } from "../helpers/sound.js";
import { storeConversations, storeTurns } from "../helpers/stored-conversations.js";
import { addAudioTurn, documentOf, listTurns, preflight } from "./operations.js";
import type { Asked, AudioTurn, Resumed, Started, TurnPage } from "./operations.js";

describe("urql", () => {
  const shared = sharedParley("sqlite");
  const clientOf = (headers: Record<string, string> = preflight) =>
    new Client({ url: `${shared().url}/graphql`, exchanges: [fetchExchange], fetchOptions: { headers } });

  it("starts a conversation, asks in it and comes back to it", async () => {
    const client = clientOf();
    const started = await client.mutation<Started>(documentOf("StartConversation"), { title: "Dogs" });
    expect(started.error).toBeUndefined();
    const conversationId = started.data?.startConversation.conversation.id;
    const text = "Is a golden retriever a good family dog?";
    const asked = await client.mutation<Asked>(documentOf("AskByText"), { conversationId, text });
    expect(asked.data?.addTextTurn.turn).toMatchObject({ status: "COMPLETED" });
    const resumed = await client.query<Resumed>(documentOf("ResumeConversation"), {});
    expect(resumed.data?.conversations.nodes[0]).toMatchObject({
      id: conversationId,
      turns: { nodes: [{ position: 1 }] },
    });
  });

  it("uploads a recording with the preflight header, and is told about the header without it", async () => {
    const conversationId = await startedConversation(shared());
    const recording = new File([new Uint8Array(spokenWav())], "question.wav", { type: "audio/wav" });
    const input = { conversationId, audio: { upload: recording } };
    const { data, error } = await clientOf().mutation<AudioTurn>(addAudioTurn, { input });
    expect(error).toBeUndefined();
    expect(data?.addAudioTurn.turn).toMatchObject({
      status: "COMPLETED",
      userMessage: { audio: { byteLength: recording.size, sha256: sha256Of(spokenWav()) } },
    });
    const refused = await clientOf({}).mutation<AudioTurn>(addAudioTurn, { input });
    expect(refused.error?.message).toContain("apollo-require-preflight");
  });

  it("reads a conversation page by page", async () => {
    const [id = ""] = await storeConversations(shared(), [{}]);
    const ids = await storeTurns(shared(), id, 7);
    const read: string[] = [];
    let after: string | null = null;
    do {
      const page: OperationResult<TurnPage> = await clientOf().query<TurnPage>(listTurns, {
        id,
        first: 3,
        after,
      });
      const turns = page.data?.conversation.turns;
      read.push(...(turns?.edges ?? []).map(({ node }) => node.id));
      after = turns?.pageInfo.hasNextPage === true ? turns.pageInfo.endCursor : null;
    } while (after !== null);
    expect(read).toEqual(ids);
  });

  it.each([
    ["a mistake in the input", { conversationId: "conv_1", text: "Hello" }, "NOT_FOUND"],
    ["a variable that does not fit", { conversationId: "conv_1", text: null }, "BAD_USER_INPUT"],
  ])("is told the code of %s", async (_name, variables, code) => {
    const { error } = await clientOf().mutation(documentOf("AskByText"), variables);
    expect(error?.graphQLErrors.map(({ extensions }) => extensions["code"])).toEqual([code]);
  });
});
