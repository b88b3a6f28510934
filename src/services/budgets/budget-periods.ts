import type { BudgetLimits } from "../../config/config.js";
import { ParleyError, lookAgainMs } from "../../errors.js";
import type { Calendar } from "./calendar.js";

/** What was spent and what is held for turns that are queued or running, in millionths of a US dollar. */
export interface Spending {
  day: number;
  month: number;
  reserved: number;
}

export type Whose = "viewer" | "tenant";
export type SpendingOf = Readonly<Record<Whose, Spending>>;

/** How a budget stands in the day or the month that it is now. Amounts in millionths of a US dollar. */
export interface BudgetPeriod {
  whose: Whose;
  period: "day" | "month";
  limitMicroUsd: number;
  spentMicroUsd: number;
  reservedMicroUsd: number;
  /** What another turn may cost at most. */
  remainingMicroUsd: number;
  resetsAt: Date;
}

/** Of each limit that is set. */
export function budgetPeriods(
  limits: BudgetLimits,
  spending: SpendingOf,
  calendar: Calendar,
): BudgetPeriod[] {
  return (["viewer", "tenant"] as const).flatMap((whose) =>
    (["day", "month"] as const).flatMap((period) => {
      const limitMicroUsd = limits[whose][period];
      if (limitMicroUsd === null) return [];
      const { [period]: spentMicroUsd, reserved: reservedMicroUsd } = spending[whose];
      const remainingMicroUsd = Math.max(0, limitMicroUsd - spentMicroUsd - reservedMicroUsd);
      const resetsAt = period === "day" ? calendar.dayEnds : calendar.monthEnds;
      const amounts = { limitMicroUsd, spentMicroUsd, reservedMicroUsd, remainingMicroUsd };
      return [{ whose, period, ...amounts, resetsAt }];
    }),
  );
}

/** Why a turn that may cost so much is not taken; null where every budget has room for it. */
export function refusalOf(
  periods: readonly BudgetPeriod[],
  costMicroUsd: number,
  now: Date,
): ParleyError | null {
  const tooSmall = periods.find(({ limitMicroUsd }) => costMicroUsd > limitMicroUsd);
  if (tooSmall !== undefined) return neverFits(tooSmall);
  const spent = periods.filter((budget) => budget.spentMicroUsd + costMicroUsd > budget.limitMicroUsd);
  const last = spent.reduce<BudgetPeriod | null>(later, null);
  if (last !== null) return fitsAfterReset(last, now);
  // What remains is never below zero, so that it can't tell a budget that is overdrawn from one that is just used up.
  const held = periods.find(
    ({ limitMicroUsd, spentMicroUsd, reservedMicroUsd }) =>
      spentMicroUsd + reservedMicroUsd + costMicroUsd > limitMicroUsd,
  );
  return held === undefined ? null : fitsAfterOthers(held);
}

/** Where several budgets are spent, it goes on when the last of them begins anew. */
function later(last: BudgetPeriod | null, next: BudgetPeriod): BudgetPeriod {
  return last !== null && last.resetsAt >= next.resetsAt ? last : next;
}

function neverFits(budget: BudgetPeriod): ParleyError {
  return new ParleyError(
    "BUDGET_EXCEEDED",
    `This turn could cost more than all of ${nameOf(budget)}. Ask for a shorter answer (reply.maxTokens), ` +
      "or in a shorter conversation.",
  );
}

function fitsAfterReset(budget: BudgetPeriod, now: Date): ParleyError {
  const { resetsAt } = budget;
  return new ParleyError(
    "BUDGET_EXCEEDED",
    `What is left of ${nameOf(budget)} is less than this turn could cost. It begins anew at ${resetsAt.toISOString()}.`,
    { retryable: true, retryAfterMs: resetsAt.getTime() - now.getTime() },
  );
}

function fitsAfterOthers(budget: BudgetPeriod): ParleyError {
  return new ParleyError(
    "BUDGET_EXCEEDED",
    `What is left of ${nameOf(budget)} is held for turns that are running. ` +
      "What they don't use is free again when they have ended.",
    { retryable: true, retryAfterMs: lookAgainMs },
  );
}

function nameOf({ whose, period }: BudgetPeriod): string {
  const owner = whose === "viewer" ? "your budget" : "your organisation's budget";
  return `${owner} for ${period === "day" ? "today" : "this month"}`;
}
