import { ParleyError } from "../errors.js";
import type {
  AudioDeltaResolvers,
  ConversationDeletedResolvers,
  ConversationTurnChangedResolvers,
  SubscriptionResolvers,
} from "../schema/generated/types.js";
import type { ConversationChange } from "../services/live/conversation-change.js";
import type { ConversationEventType } from "../services/live/conversation-log.js";
import type { Told } from "../services/live/turn-events.js";
import { present } from "./present.js";
import type { RequestContext } from "./request-context.js";

export const subscription: SubscriptionResolvers = {
  turnEvents: {
    subscribe: async (_parent, { turnId, after }, context) =>
      fresh(context, await context.app.turnEvents.follow(context.viewer, turnId, after ?? null)),
    resolve: event,
  },
  conversationEvents: {
    subscribe: async (_parent, { conversationId, after }, context) => {
      const { viewer, app } = context;
      return fresh(
        context,
        await app.conversationEvents.followConversation(viewer, conversationId, after ?? null),
      );
    },
    resolve: event,
  },
  viewerEvents: {
    subscribe: async (_parent, { after }, context) =>
      fresh(context, await context.app.conversationEvents.followViewer(context.viewer, after ?? null)),
    resolve: event,
  },
};

/** Every event reads its rows anew: those of the event before may have changed. */
function fresh<Event>({ reading }: RequestContext, told: Told<Event>): Told<Event> {
  return {
    ...told,
    next: async () => {
      const result = await told.next();
      reading.forget();
      return result;
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

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
