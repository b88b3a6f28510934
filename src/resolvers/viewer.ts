import type { ViewerResolvers } from "../schema/generated/types.js";

export const viewer: ViewerResolvers = {
  usage: (_parent, _arguments, { reading }) => reading.usage(),
  limits: async (_parent, _arguments, { app, viewer: { id } }) => {
    const [rates, activeTurns] = await Promise.all([app.rates.stateOf(id), app.turns.countActive(id)]);
    return { ...rates, activeTurns, maxActiveTurns: app.config.limits.turns.maxActivePerViewer };
  },
};
