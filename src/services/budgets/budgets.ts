import type { Viewer } from "../../auth/viewer.js";
import type { BudgetLimits, Config } from "../../config/config.js";
import type { Price } from "../../config/prices.js";
import type { Database, DatabaseTransaction } from "../../db/database.js";
import { dialectOf } from "../../db/sql.js";
import type { Dialect } from "../../db/sql.js";
import type { TurnRow } from "../../db/rows.js";
import type { Question } from "../turns/question.js";
import { boundedTokens } from "../turns/reply.js";
import { readRequestFacts } from "../turns/request-facts.js";
import type { RequestParts } from "../turns/request-facts.js";
import { budgetPeriods, refusalOf } from "./budget-periods.js";
import type { BudgetPeriod } from "./budget-periods.js";
import { calendarOf, dayOf } from "./calendar.js";
import { recountSpending } from "./recount.js";
import { addSpending, readSpending, scopeOf } from "./spending.js";
import type { SpentOnDay, Spender } from "./spending.js";
import { worstCostMicroUsd } from "./worst-cost.js";

export interface BudgetsParts extends RequestParts {
  database: Database;
  limits: BudgetLimits;
  /** Of the deployment that answers. */
  price: Price;
  maxReplyTokens: number | null;
  model: Pick<Config["model"], "totalTimeoutMs">;
}

/** A call as far as it was paid. */
export interface PaidCall {
  endedAt: Date;
  costMicroUsd: number | bigint | null;
}

/** Longer than what a call has cost is tried to be written when its turn is gone. */
const countingMs = 60 * 60 * 1000;

/**
 * Keeps what is spent within the budgets: the most that a turn can cost is held when it is accepted, and what it has cost
 * takes its place when its calls are counted, each in the transaction of that. There is none where no budget is set.
 */
export class Budgets {
  readonly #parts: BudgetsParts;
  readonly #dialect: Dialect;

  constructor(parts: BudgetsParts) {
    this.#parts = parts;
    this.#dialect = dialectOf(parts.database.kind);
  }

  /**
   * Holds the most that a turn can cost, in the transaction that accepts it, which holds its conversation's row. What
   * others spend and hold waits from here to its end.
   * @throws ParleyError BUDGET_EXCEEDED
   */
  async reserve(transaction: DatabaseTransaction, turn: TurnRow, question: Question): Promise<void> {
    const cost = await this.#worstCost(transaction, turn, question);
    const now = new Date();
    const calendar = calendarOf(now);
    // With the day before, so that turns around midnight wait for each other, too.
    const days = [calendar.yesterday, calendar.today].map((day) => ({ day, microUsd: 0 }));
    await addSpending(transaction, this.#scopes(turn), days);
    const refusal = refusalOf(await this.#periods(transaction, turn, now), cost, now);
    if (refusal !== null) throw refusal;
    const { id: turnId, attempt, ownerId, tenantId } = turn;
    const expiresAt = new Date(now.getTime() + this.#parts.model.totalTimeoutMs + countingMs);
    await transaction.budgetReservation.create({
      data: { turnId, attempt, ownerId, tenantId, costMicroUsd: cost, createdAt: now, expiresAt },
    });
  }

  /** What was held for an attempt is free again, in the transaction that ends it or counts the calls of a turn that is gone. */
  async release(transaction: DatabaseTransaction, { id: turnId, attempt }: TurnRow): Promise<void> {
    await transaction.budgetReservation.deleteMany({ where: { turnId, attempt } });
  }

  /** Counts what calls have cost, in the transaction that writes them; `replaced` are those whose place they take. */
  async count(
    transaction: DatabaseTransaction,
    spender: Spender,
    calls: readonly PaidCall[],
    replaced: readonly PaidCall[] = [],
  ): Promise<void> {
    const amounts = byDay([
      ...calls.map((call) => costOf(call, 1)),
      ...replaced.map((call) => costOf(call, -1)),
    ]);
    await addSpending(transaction, this.#scopes(spender), amounts);
  }

  /** How each budget stands that holds for the viewer. */
  periods(viewer: Viewer): Promise<BudgetPeriod[]> {
    const spender = { ownerId: viewer.id, tenantId: viewer.tenantId };
    return this.#periods(this.#parts.database.client, spender, new Date());
  }

  /** To be called at the start. */
  recount(): Promise<void> {
    return recountSpending(this.#parts.database, new Date());
  }

  async #periods(client: DatabaseTransaction, spender: Spender, now: Date): Promise<BudgetPeriod[]> {
    const calendar = calendarOf(now);
    const spending = await readSpending(client, this.#dialect, spender, calendar);
    return budgetPeriods(this.#parts.limits, spending, calendar);
  }

  async #worstCost(transaction: DatabaseTransaction, turn: TurnRow, question: Question): Promise<number> {
    const { price, maxReplyTokens } = this.#parts;
    const maxTokens = boundedTokens(turn.replyMaxTokens, maxReplyTokens);
    if (maxTokens === null) throw new Error("with a budget every answer has a bound");
    return worstCostMicroUsd(
      await readRequestFacts(transaction, turn, question, this.#parts),
      maxTokens,
      price,
    );
  }

  /** Those that have a limit: who shares no budget waits for nobody. */
  #scopes(spender: Spender): string[] {
    const { limits } = this.#parts;
    return (["viewer", "tenant"] as const)
      .filter((whose) => limits[whose].day !== null || limits[whose].month !== null)
      .map((whose) => scopeOf(whose, spender));
  }
}

function costOf({ endedAt, costMicroUsd }: PaidCall, sign: 1 | -1): SpentOnDay {
  return { day: dayOf(endedAt), microUsd: sign * Number(costMicroUsd ?? 0) };
}

/** One sum for each day on which something was spent. */
function byDay(amounts: readonly SpentOnDay[]): SpentOnDay[] {
  const sums = new Map<string, number>();
  for (const { day, microUsd } of amounts) sums.set(day, (sums.get(day) ?? 0) + microUsd);
  return [...sums].map(([day, microUsd]) => ({ day, microUsd })).filter(({ microUsd }) => microUsd !== 0);
}
