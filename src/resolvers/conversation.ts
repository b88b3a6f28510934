import type { ConversationResolvers, ConversationConnectionResolvers } from "../schema/generated/types.js";
import { connection } from "./connection.js";
import { opaqueCursor } from "./event-cursor.js";

export const conversation: ConversationResolvers = {
  voice: ({ voice }, _arguments, { app }) => voice ?? app.config.voices.default,
  activeTurn: ({ id }, _arguments, { loaders }) => loaders.activeTurn.load(id),
  turns: (row, page, { reading }) => reading.turnsOf(row, page),
  usage: ({ id }, _arguments, { loaders }) => loaders.usageOfConversation.load(id),
  eventCursor: ({ id, updatedAt }) => opaqueCursor([id, updatedAt.getTime()]),
};

export const conversationConnection: ConversationConnectionResolvers = connection;
