import { expect, it } from "@jest/globals";
import { onEachDatabase } from "../helpers/databases.js";
import { askByText, startedConversation } from "../helpers/operations.js";
import { sharedParley } from "../helpers/parley.js";
import { storeConversations } from "../helpers/stored-conversations.js";

const unknownIds = ["conv", "turn", "msg", "clip"].map((prefix) => `${prefix}_01K${"0".repeat(23)}`);

const hostileIds = [
  "",
  " ",
  "conv_",
  "conv_01K",
  "CONV_01K00000000000000000000000",
  "viewer_local",
  "upl_01K00000000000000000000000",
  "call_01K00000000000000000000000",
  "key_01K00000000000000000000000",
  "__proto___00000000000000000000000000",
  "conv_01K00000000000000000000000\n",
  "conv_01k0000000000000000000000i",
  "conv_01K0000000000000000000000\0",
  "\0",
  "\ud800",
  "conv_\udfff0000000000000000000000000",
  "' OR 1=1 --",
  "%",
  "../../etc/passwd",
  "🐕".repeat(100),
  "x".repeat(500_000),
];

onEachDatabase("An object", (kind) => {
  const shared = sharedParley(kind);

  it("of every type is found by its id, and its type is told", async () => {
    const parley = shared();
    const conversationId = await startedConversation(parley);
    const turn = await askByText(parley, conversationId, "Hello");
    const answer = turn.assistantMessage;
    const ids = [conversationId, turn.id, turn.userMessage.id, answer?.id, answer?.audio?.id];
    const found = ["Conversation", "Turn", "Message", "Message", "AudioClip"].map((__typename, index) => ({
      __typename,
      id: ids[index],
    }));
    const query = "query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }";
    expect(await parley.ask(query, { ids })).toEqual({ nodes: found });
    for (const [index, id] of ids.entries()) {
      expect(await parley.ask("query ($id: ID!) { node(id: $id) { __typename id } }", { id })).toEqual({
        node: found[index],
      });
    }
  });

  it("is reached from each other that belongs to it", async () => {
    const parley = shared();
    const conversationId = await startedConversation(parley);
    const turn = await askByText(parley, conversationId, "Hello");
    const query = `query ($id: ID!) { node(id: $id) { ... on AudioClip {
      message { id role turn { id conversation { id activeTurn { id } turns { nodes { id } } } } }
    } } }`;
    expect(await parley.ask(query, { id: turn.assistantMessage?.audio?.id })).toEqual({
      node: {
        message: {
          id: turn.assistantMessage?.id,
          role: "ASSISTANT",
          turn: {
            id: turn.id,
            conversation: { id: conversationId, activeTurn: null, turns: { nodes: [{ id: turn.id }] } },
          },
        },
      },
    });
  });

  it("is null for an id that is unknown, malformed or hostile", async () => {
    const parley = shared();
    const query = `query ($id: ID!) { node(id: $id) { id } conversation(id: $id) { id } turn(id: $id) { id } }`;
    for (const id of [...unknownIds, ...hostileIds, 5]) {
      const { data, errors } = await parley.send(query, { id });
      expect([data, errors]).toEqual([{ node: null, conversation: null, turn: null }, []]);
    }
    const [own = ""] = await storeConversations(parley, [{}]);
    const ids = [...unknownIds, own, ...hostileIds, own];
    const { nodes } = await parley.ask<{ nodes: ({ id: string } | null)[] }>(
      "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }",
      { ids },
    );
    expect(nodes).toEqual(ids.map((id) => (id === own ? { id: own } : null)));
  });

  it("of one type is not taken for one of another", async () => {
    const parley = shared();
    const [id = ""] = await storeConversations(parley, [{}]);
    expect(await parley.ask("query ($id: ID!) { turn(id: $id) { id } }", { id })).toEqual({ turn: null });
    const disguised = id.replace("conv_", "turn_");
    expect(await parley.ask("query ($id: ID!) { node(id: $id) { id } }", { id: disguised })).toEqual({
      node: null,
    });
  });

  it.each([
    ["cancelTurn", "CancelTurnInput"],
    ["retryTurn", "RetryTurnInput"],
  ])("that is not there can't be used by %s", async (field, inputType) => {
    const query = `mutation ($input: ${inputType}!) { ${field}(input: $input) { __typename } }`;
    for (const turnId of [...unknownIds, ...hostileIds]) {
      const { errors } = await shared().send(query, { input: { turnId } });
      expect(errors.map(({ extensions }) => extensions.code)).toEqual(["NOT_FOUND"]);
    }
  });

  it("can be asked for with at most 99 others", async () => {
    const parley = shared();
    const query = "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }";
    const ids = Array.from({ length: 100 }, () => unknownIds[0]);
    expect(await parley.ask(query, { ids })).toEqual({ nodes: ids.map(() => null) });
    const { errors } = await parley.send(query, { ids: [...ids, unknownIds[0]] });
    expect(errors[0]?.extensions.code).toBe("BAD_USER_INPUT");
  });
});
