import { spokenWav } from "../../helpers/sound.js";
import { mark } from "./world.js";
import type { Things } from "./world.js";

/**
 * A root field, how it is asked for something of the owner, and what others hear: `null`, the code of an error, or `own`
 * where it asks for nothing in particular and answers with what is theirs.
 */
export interface Door {
  /** Selects nothing that may be null for its owner. */
  query: string;
  variables: (things: Things) => object;
  /** What stands in the JSON of the answer for its owner; of a door for operators, for the operator. */
  holds: (things: Things) => string[];
  others: "null" | "own" | "NOT_FOUND" | "BAD_USER_INPUT";
  /** Of every member, the owner too: a door for operators. */
  members?: "FORBIDDEN";
  /** Of somebody who is an operator and no member. Default: FORBIDDEN. */
  operator?: "own" | "tenant";
}

/** A door that is asked for one thing by its id, and tells the owner of it: by that id, unless `told` is something else. */
const byId = (
  query: string,
  name: keyof Things,
  ...told: string[]
): Pick<Door, "query" | "variables" | "holds"> => ({
  query,
  variables: (things) => ({ id: things[name] }),
  holds: (things) => (told.length === 0 ? [things[name]] : told),
});

const completed = '"status":"COMPLETED"';
const sound = Buffer.from(spokenWav(200)).toString("base64");

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
    holds: ({ conversationId }) => [conversationId, mark],
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
    holds: (things) => [things.viewerId],
    others: "own",
    operator: "own",
  },
  capabilities: {
    query: "{ capabilities { provider } }",
    variables: () => ({}),
    holds: () => ['"provider":'],
    others: "own",
    operator: "own",
  },
  tenantUsage: {
    query: "{ tenantUsage { tenantId viewers { viewerId } } }",
    variables: () => ({}),
    holds: ({ viewerId }) => ['"tenantId":"acme"', viewerId],
    others: "own",
    members: "FORBIDDEN",
    operator: "tenant",
  },
};

export const mutations: Record<string, Door> = {
  startConversation: {
    query: "mutation { startConversation { conversation { id } } }",
    variables: () => ({}),
    holds: () => ['"id":"conv_'],
    others: "own",
  },
  updateConversation: {
    ...byId(
      'mutation ($id: ID!) { updateConversation(input: { conversationId: $id, title: "Mine" }) { conversation { id title } } }',
      "conversationId",
      '"title":"Mine"',
    ),
    others: "NOT_FOUND",
  },
  archiveConversation: {
    ...byId(
      "mutation ($id: ID!) { archiveConversation(input: { conversationId: $id }) { conversation { id archivedAt } } }",
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
    ...byId(
      "mutation ($id: ID!) { deleteViewer(input: { viewerId: $id }) { receipt { id kind } } }",
      "viewerId",
      '"kind":"PERSON"',
    ),
    others: "BAD_USER_INPUT",
  },
  addTextTurn: {
    ...byId(
      "mutation ($id: ID!) { addTextTurn(input: { conversationId: $id, text: \"Say 'yes'\" }) { turn { id status } } }",
      "conversationId",
      completed,
    ),
    others: "NOT_FOUND",
  },
  addAudioTurn: {
    ...byId(
      `mutation ($id: ID!) { addAudioTurn(input: { conversationId: $id, audio: { base64: "${sound}" } }) { turn { id status } } }`,
      "conversationId",
      completed,
    ),
    others: "NOT_FOUND",
  },
  cancelTurn: {
    ...byId("mutation ($id: ID!) { cancelTurn(input: { turnId: $id }) { turn { id } } }", "turnId"),
    others: "NOT_FOUND",
  },
  retryTurn: {
    ...byId(
      "mutation ($id: ID!) { retryTurn(input: { turnId: $id }) { turn { id status } } }",
      "failedTurnId",
      completed,
    ),
    others: "NOT_FOUND",
  },
  createAudioUpload: {
    query: "mutation { createAudioUpload(input: { byteLength: 10 }) { uploadId uploadUrl } }",
    variables: () => ({}),
    holds: () => ['"uploadId":"upl_'],
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
    holds: (things) => [things.conversationId],
    others: "NOT_FOUND",
  },
  viewerEvents: {
    query: "subscription { viewerEvents { conversationId } }",
    variables: () => ({}),
    holds: (things) => [things.conversationId],
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
