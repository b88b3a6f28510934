import type { Resolvers } from "../schema/generated/types.js";
import { conversation, conversationConnection } from "./conversation.js";
import { deletionReceipt } from "./deletion.js";
import { audioClip, message } from "./message.js";
import { mutation } from "./mutation.js";
import { query } from "./query.js";
import {
  audioDelta,
  conversationDeleted,
  conversationEvent,
  conversationTurnChanged,
  eventTypes,
  subscription,
  turnEvent,
} from "./subscription.js";
import { replySettings, turn, turnConnection } from "./turn.js";
import { tenantUsage, viewer } from "./viewer.js";

export const resolvers: Resolvers = {
  Query: query,
  Mutation: mutation,
  Subscription: subscription,
  Node: { __resolveType: ({ id }) => nodeTypes[id.slice(0, id.indexOf("_"))] ?? null },
  Conversation: conversation,
  ConversationConnection: conversationConnection,
  Turn: turn,
  TurnConnection: turnConnection,
  ReplySettings: replySettings,
  Message: message,
  AudioClip: audioClip,
  DeletionReceipt: deletionReceipt,
  TurnEvent: { __resolveType: ({ type }) => type },
  TurnStarted: turnEvent,
  TranscriptDelta: turnEvent,
  TextDelta: turnEvent,
  AudioDelta: audioDelta,
  TurnEnded: turnEvent,
  ConversationEvent: { __resolveType: ({ type }) => eventTypes[type] },
  ConversationStarted: conversationEvent,
  ConversationChanged: conversationEvent,
  ConversationDeleted: conversationDeleted,
  ConversationTurnChanged: conversationTurnChanged,
  Viewer: viewer,
  TenantUsage: tenantUsage,
};

const nodeTypes: Readonly<Record<string, "Conversation" | "Turn" | "Message" | "AudioClip">> = {
  conv: "Conversation",
  turn: "Turn",
  msg: "Message",
  clip: "AudioClip",
};
