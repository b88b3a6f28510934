import { ParleyError } from "../errors.js";
import type {
  AudioDeltaResolvers,
  ConversationDeletedResolvers,
  ConversationTurnChangedResolvers,
  SubscriptionResolvers,
} from "../schema/generated/types.js";
import type { ConversationChange } from "../services/live/conversation-change.js";
import type { ConversationEventType } from "../services/live/conversation-log.js";
import { present } from "./present.js";
import type { RequestContext } from "./request-context.js";

export const subscription: SubscriptionResolvers = {
  turnEvents: {
    subscribe: (_parent, { turnId, after }, { viewer, app }) =>
      app.turnEvents.follow(viewer, turnId, after ?? null),
    resolve: event,
  },
  conversationEvents: {
    subscribe: (_parent, { conversationId, after }, { viewer, app }) =>
      app.conversationEvents.followConversation(viewer, conversationId, after ?? null),
    resolve: event,
  },
  viewerEvents: {
    subscribe: (_parent, { after }, { viewer, app }) =>
      app.conversationEvents.followViewer(viewer, after ?? null),
    resolve: event,
  },
};

/** An error that takes the place of an event is told in its place; it is the last. */
function event<Event>(told: Event | ParleyError): Event {
  if (told instanceof ParleyError) throw told;
  return told;
}

/** What all events of a turn share. */
export const turnEvent = {
  turn: async ({ turnId }: { turnId: string }, _arguments: unknown, { loaders }: RequestContext) =>
    present(await loaders.turn.load(turnId)),
};

export const audioDelta: AudioDeltaResolvers = {
  ...turnEvent,
  base64: ({ base64 }) => base64(),
};

/** What all events of a conversation share that is there. */
export const conversationEvent = {
  conversation: async (
    { conversationId }: ConversationChange,
    _arguments: unknown,
    { loaders }: RequestContext,
  ) => present(await loaders.conversation.load(conversationId)),
};

export const conversationDeleted: ConversationDeletedResolvers = { conversation: () => null };

export const conversationTurnChanged: ConversationTurnChangedResolvers = {
  ...conversationEvent,
  turn: async ({ turnId }, _arguments, { loaders }) =>
    present(turnId === null ? null : await loaders.turn.load(turnId)),
};

export const eventTypes = {
  STARTED: "ConversationStarted",
  CHANGED: "ConversationChanged",
  DELETED: "ConversationDeleted",
  TURN: "ConversationTurnChanged",
} as const satisfies Record<ConversationEventType, string>;
