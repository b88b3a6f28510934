import { ConfigError } from "./config.js";
import type { BudgetLimits, Config } from "./config.js";
import type { Price } from "./prices.js";
import type { SettingName } from "./setting-names.js";
import type { SettingReader } from "./setting-reader.js";

/** What bounds an answer where a budget is set and nothing else does: at least three minutes of speech, or 3,000 words. */
const replyTokensUnderBudget = 4_096;
/** Sums of several such amounts are still whole numbers that JavaScript can tell apart. */
const maxUsd = 1_000_000_000;

/** Null where no budget is set. */
export function parseBudgets(read: SettingReader): BudgetLimits | null {
  const limits: BudgetLimits = {
    viewer: {
      day: readMicroUsd(read, "BUDGET_VIEWER_DAY_USD"),
      month: readMicroUsd(read, "BUDGET_VIEWER_MONTH_USD"),
    },
    tenant: {
      day: readMicroUsd(read, "BUDGET_TENANT_DAY_USD"),
      month: readMicroUsd(read, "BUDGET_TENANT_MONTH_USD"),
    },
  };
  const all = [limits.viewer.day, limits.viewer.month, limits.tenant.day, limits.tenant.month];
  return all.every((limit) => limit === null) ? null : limits;
}

/** An answer without a bound could cost anything, so that nothing could be reserved for it. */
export function parseMaxReplyTokens(read: SettingReader, budgets: BudgetLimits | null): number | null {
  if (read.text("MAX_REPLY_TOKENS") === null) return budgets === null ? null : replyTokensUnderBudget;
  return read.integer("MAX_REPLY_TOKENS", { default: replyTokensUnderBudget, min: 1, max: 2_147_483_647 });
}

/**
 * The price by which budgets are kept; null where none is set.
 * @throws ConfigError where there is no price for the deployment that answers: what its calls cost would not be known
 */
export function priceUnderBudget({ budgets, prices }: Config, deployment: string): Price | null {
  if (budgets === null) return null;
  const price = prices.get(deployment);
  if (price !== undefined) return price;
  throw new ConfigError([
    `PRICES_FILE must hold a price for the deployment "${deployment}", because a budget is set: ` +
      "without one nobody knows what is spent.",
  ]);
}

/** An amount in US dollars with at most six decimals, in millionths; null where the setting is absent. */
function readMicroUsd(read: SettingReader, name: SettingName): number | null {
  const text = read.text(name);
  if (text === null) return null;
  const [, whole = "", decimals = ""] = /^(\d{1,10})(?:\.(\d{1,6}))?$/.exec(text) ?? [];
  const microUsd = Number(whole + decimals.padEnd(6, "0"));
  if (whole !== "" && microUsd > 0 && microUsd <= maxUsd * 1_000_000) return microUsd;
  read.refuse(
    `${name} must be an amount in US dollars above 0, up to 1000000000, with six decimals at most; it is "${text}".`,
  );
  return null;
}
