import type { Budget, TenantUsageResolvers, ViewerResolvers } from "../schema/generated/types.js";
import type { BudgetPeriod } from "../services/budgets/budget-periods.js";

export const viewer: ViewerResolvers = {
  usage: (_parent, _arguments, { reading }) => reading.usage(),
  budget: async (_parent, _arguments, { reading }) => {
    const periods = await reading.budgets();
    return periods === null ? null : toBudget(periods);
  },
  limits: async (_parent, _arguments, { app, viewer: { id } }) => {
    const [rates, activeTurns] = await Promise.all([app.rates.stateOf(id), app.turns.countActive(id)]);
    return { ...rates, activeTurns, maxActiveTurns: app.config.limits.turns.maxActivePerViewer };
  },
};

export const tenantUsage: TenantUsageResolvers = {
  usage: (tenant, _arguments, { app }) => app.tenantUsage.sum(tenant),
  viewers: (tenant, { first, after }, { app }) => app.tenantUsage.byViewer(tenant, first, after ?? null),
};

function toBudget(periods: readonly BudgetPeriod[]): Budget {
  const find = (whose: BudgetPeriod["whose"], period: BudgetPeriod["period"]) =>
    periods.find((budget) => budget.whose === whose && budget.period === period) ?? null;
  return {
    viewerDay: find("viewer", "day"),
    viewerMonth: find("viewer", "month"),
    tenantDay: find("tenant", "day"),
    tenantMonth: find("tenant", "month"),
  };
}
