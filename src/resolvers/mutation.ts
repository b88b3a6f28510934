import type { MutationResolvers } from "../schema/generated/types.js";
import type { RequestContext } from "./request-context.js";

export const mutation: MutationResolvers = {
  startConversation: async (_parent, { input }, context) => ({
    conversation: await changing(context, context.app.conversations.start(context.viewer, input)),
  }),
  updateConversation: async (_parent, { input: { conversationId, ...changes } }, context) => ({
    conversation: await changing(
      context,
      context.app.conversations.update(context.viewer, conversationId, changes),
    ),
  }),
  archiveConversation: async (_parent, { input: { conversationId, archived } }, context) => ({
    conversation: await changing(
      context,
      context.app.conversations.archive(context.viewer, conversationId, archived),
    ),
  }),
  deleteConversation: async (_parent, { input: { conversationId } }, context) => {
    const receipt = await changing(context, context.app.conversations.delete(context.viewer, conversationId));
    return { deletedConversationId: conversationId, receipt };
  },
  deleteViewer: async (_parent, { input }, context) => ({
    receipt: await changing(context, context.app.deletions.deleteViewer(context.viewer, input.viewerId)),
  }),
  addTextTurn: async (_parent, { input }, context) => ({
    turn: await changing(context, context.app.turns.addText(context.viewer, input)),
  }),
  addAudioTurn: async (_parent, { input }, context) => {
    if (input.audio.upload != null) await context.admission.admit("uploads");
    return {
      turn: await changing(context, context.app.turns.addAudio(context.viewer, input, context.recheck)),
    };
  },
  createAudioUpload: async (_parent, { input }, { app, viewer, origin, admission }) => {
    await admission.admit("uploads");
    const upload = await app.uploads.create(viewer, input);
    const { id: uploadId, expiresAt } = upload;
    return { uploadId, uploadUrl: await app.uploads.urlOf(origin, upload), expiresAt };
  },
  cancelTurn: async (_parent, { input }, context) => ({
    turn: await changing(context, context.app.turns.cancel(context.viewer, input.turnId)),
  }),
  retryTurn: async (_parent, { input }, context) => ({
    turn: await changing(context, context.app.turns.retry(context.viewer, input)),
  }),
};

/** What an earlier field of the same request has read is no longer true. */
async function changing<Result>(context: RequestContext, change: Promise<Result>): Promise<Result> {
  try {
    return await change;
  } finally {
    context.reading.forget();
  }
}
