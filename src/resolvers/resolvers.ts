import type { Resolvers } from "../schema/generated/types.js";
import { conversation, conversationConnection } from "./conversation.js";
import { audioClip, message } from "./message.js";
import { mutation } from "./mutation.js";
import { query } from "./query.js";
import { replySettings, turn, turnConnection } from "./turn.js";
import { viewer } from "./viewer.js";

export const resolvers: Resolvers = {
  Query: query,
  Mutation: mutation,
  Node: { __resolveType: ({ id }) => nodeTypes[id.slice(0, id.indexOf("_"))] ?? null },
  Conversation: conversation,
  ConversationConnection: conversationConnection,
  Turn: turn,
  TurnConnection: turnConnection,
  ReplySettings: replySettings,
  Message: message,
  AudioClip: audioClip,
  Viewer: viewer,
};

const nodeTypes: Readonly<Record<string, "Conversation" | "Turn" | "Message" | "AudioClip">> = {
  conv: "Conversation",
  turn: "Turn",
  msg: "Message",
  clip: "AudioClip",
};
