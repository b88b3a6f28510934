import { mark } from "./world.js";
import type { Things } from "./world.js";

/**
 * A root field, how it is asked for something of the owner, and what others hear: `null`, the code of an error, or `own`
 * where it asks for nothing in particular and answers with what is theirs.
 */
export interface Door {
  query: string;
  variables: (things: Things) => object;
  others: "null" | "own" | "NOT_FOUND" | "BAD_USER_INPUT";
  /** Of somebody who is an operator and no member. Default: FORBIDDEN. */
  operator?: "own" | "tenant";
}

const byId = (query: string, name: keyof Things): Pick<Door, "query" | "variables"> => ({
  query,
  variables: (things) => ({ id: things[name] }),
});

export const queries: Record<string, Door> = {
  node: { ...byId("query ($id: ID!) { node(id: $id) { id } }", "conversationId"), others: "null" },
  nodes: { ...byId("query ($id: ID!) { nodes(ids: [$id]) { id } }", "turnId"), others: "null" },
  conversation: {
    ...byId("query ($id: ID!) { conversation(id: $id) { id title } }", "conversationId"),
    others: "null",
  },
  conversations: {
    query: `{ conversations(filter: { search: "${mark}" }) { totalCount nodes { id title } } }`,
    variables: () => ({}),
    others: "own",
  },
  turn: { ...byId("query ($id: ID!) { turn(id: $id) { id } }", "turnId"), others: "null" },
  deletionReceipt: {
    ...byId("query ($id: ID!) { deletionReceipt(id: $id) { id } }", "deletionId"),
    others: "null",
  },
  viewer: {
    query: "{ viewer { id usage { inputTextTokens } } }",
    variables: () => ({}),
    others: "own",
    operator: "own",
  },
  capabilities: {
    query: "{ capabilities { provider } }",
    variables: () => ({}),
    others: "own",
    operator: "own",
  },
  tenantUsage: {
    query: "{ tenantUsage { tenantId viewers { viewerId } } }",
    variables: () => ({}),
    others: "own",
    operator: "tenant",
  },
};

export const mutations: Record<string, Door> = {
  startConversation: {
    query: "mutation { startConversation { conversation { id } } }",
    variables: () => ({}),
    others: "own",
  },
  updateConversation: {
    ...byId(
      'mutation ($id: ID!) { updateConversation(input: { conversationId: $id, title: "Mine" }) { conversation { id } } }',
      "conversationId",
    ),
    others: "NOT_FOUND",
  },
  archiveConversation: {
    ...byId(
      "mutation ($id: ID!) { archiveConversation(input: { conversationId: $id }) { conversation { id } } }",
      "conversationId",
    ),
    others: "NOT_FOUND",
  },
  deleteConversation: {
    ...byId(
      "mutation ($id: ID!) { deleteConversation(input: { conversationId: $id }) { deletedConversationId } }",
      "conversationId",
    ),
    others: "NOT_FOUND",
  },
  deleteViewer: {
    ...byId("mutation ($id: ID!) { deleteViewer(input: { viewerId: $id }) { receipt { id } } }", "viewerId"),
    others: "BAD_USER_INPUT",
  },
  addTextTurn: {
    ...byId(
      "mutation ($id: ID!) { addTextTurn(input: { conversationId: $id, text: \"Say 'yes'\" }) { turn { id } } }",
      "conversationId",
    ),
    others: "NOT_FOUND",
  },
  addAudioTurn: {
    ...byId(
      'mutation ($id: ID!) { addAudioTurn(input: { conversationId: $id, audio: { base64: "AAAA" } }) { turn { id } } }',
      "conversationId",
    ),
    others: "NOT_FOUND",
  },
  cancelTurn: {
    ...byId("mutation ($id: ID!) { cancelTurn(input: { turnId: $id }) { turn { id } } }", "turnId"),
    others: "NOT_FOUND",
  },
  retryTurn: {
    ...byId("mutation ($id: ID!) { retryTurn(input: { turnId: $id }) { turn { id } } }", "turnId"),
    others: "NOT_FOUND",
  },
  createAudioUpload: {
    query: "mutation { createAudioUpload(input: { byteLength: 10 }) { uploadId } }",
    variables: () => ({}),
    others: "own",
  },
};

export const subscriptions: Record<string, Door> = {
  turnEvents: {
    ...byId("subscription ($id: ID!) { turnEvents(turnId: $id) { turn { id } } }", "turnId"),
    others: "NOT_FOUND",
  },
  conversationEvents: {
    query:
      "subscription ($id: ID!, $after: String) { conversationEvents(conversationId: $id, after: $after) { conversationId } }",
    variables: ({ conversationId, cursor }) => ({
      id: conversationId,
      ...(cursor === "" ? {} : { after: cursor }),
    }),
    others: "NOT_FOUND",
  },
  viewerEvents: {
    query: "subscription { viewerEvents { conversationId } }",
    variables: () => ({}),
    others: "own",
  },
};

/** Where each type of node has its id among the things. */
export const nodeIds: Record<string, keyof Things> = {
  Conversation: "conversationId",
  Turn: "turnId",
  Message: "messageId",
  AudioClip: "clipId",
};
