import type { ConversationResolvers, ConversationConnectionResolvers } from "../schema/generated/types.js";
import { connection } from "./connection.js";
import { daysInForce } from "../services/keeping/retention-days.js";
import { conversationCursor } from "../services/live/conversation-change.js";

export const conversation: ConversationResolvers = {
  voice: ({ voice }, _arguments, { app }) => voice ?? app.config.voices.default,
  activeTurn: ({ id }, _arguments, { loaders }) => loaders.activeTurn.load(id),
  turns: (row, page, { reading }) => reading.turnsOf(row, page),
  retention: (row, _arguments, { app }) => daysInForce(app.config.retention, row),
  usage: ({ id }, _arguments, { loaders }) => loaders.usageOfConversation.load(id),
  eventCursor: ({ id, eventSequence }) => conversationCursor(id, eventSequence),
};

export const conversationConnection: ConversationConnectionResolvers = connection;
