import type { ViewerResolvers } from "../schema/generated/types.js";

export const viewer: ViewerResolvers = {
  usage: (_parent, _arguments, { reading }) => reading.usage(),
};
