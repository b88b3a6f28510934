import { ParleyError } from "../errors.js";
import { idPrefix } from "../ids.js";
import type { QueryResolvers } from "../schema/generated/types.js";
import type { RequestContext } from "./request-context.js";

const maxNodes = 100;

export const query: QueryResolvers = {
  node: (_parent, { id }, context) => loadNode(context, id),
  nodes: (_parent, { ids }, context) => {
    if (ids.length > maxNodes)
      throw new ParleyError("BAD_USER_INPUT", `nodes takes at most ${maxNodes} ids.`);
    return Promise.all(ids.map((id) => loadNode(context, id)));
  },
  conversation: (_parent, { id }, { loaders }) => loaders.conversation.load(id),
  conversations: (_parent, { filter, orderBy, ...page }, { reading }) =>
    reading.conversations(page, filter, orderBy),
  turn: (_parent, { id }, { loaders }) => loaders.turn.load(id),
  deletionReceipt: (_parent, { id }, { loaders }) => loaders.deletion.load(id),
  viewer: (_parent, _arguments, { viewer }) => viewer,
  tenantUsage: (_parent, { month }, { app, viewer }) => app.tenantUsage.of(viewer, month ?? null),
  capabilities: (_parent, _arguments, { app }) => app.capabilities,
};

async function loadNode({ loaders }: RequestContext, id: string) {
  switch (idPrefix(id)) {
    case "conv":
      return loaders.conversation.load(id);
    case "turn":
      return loaders.turn.load(id);
    case "msg":
      return loaders.message.load(id);
    case "clip":
      return loaders.clip.load(id);
    default:
      return null;
  }
}
