import type { Viewer } from "../../auth/viewer.js";
import type { Prices } from "../../config/prices.js";
import type { DatabaseClient } from "../../db/database.js";
import { ParleyError } from "../../errors.js";
import { noUsage, sumUsage } from "./usage.js";
import type { CallCondition, UsageSums } from "./usage.js";

/** What the people of a tenant have used, for its operators: counts of tokens and costs, and nothing that was said. */
export interface TenantUsage {
  tenantId: string;
  /** `YYYY-MM`, UTC; null: ever. */
  month: string | null;
}

export interface ViewerUsage {
  viewerId: string;
  usage: UsageSums;
}

const maxPageSize = 100;

export class TenantUsages {
  readonly #client: DatabaseClient;
  readonly #prices: Prices;

  constructor(client: DatabaseClient, prices: Prices) {
    this.#client = client;
    this.#prices = prices;
  }

  /** @throws ParleyError BAD_USER_INPUT */
  of({ tenantId }: Viewer, month: string | null): TenantUsage {
    if (month !== null) monthOf(month);
    return { tenantId, month };
  }

  async sum(tenant: TenantUsage): Promise<UsageSums> {
    const sums = await sumUsage(this.#client, "tenantId", [tenant.tenantId], conditionOf(tenant));
    return sums.get(tenant.tenantId) ?? noUsage(this.#prices);
  }

  /**
   * A page of those who have called the model, by the ids of viewers.
   * @throws ParleyError BAD_USER_INPUT
   */
  async byViewer(tenant: TenantUsage, first: number, after: string | null): Promise<ViewerUsage[]> {
    if (first < 1 || first > maxPageSize)
      throw new ParleyError("BAD_USER_INPUT", `first must be from 1 to ${maxPageSize}.`);
    if (after !== null && !/^viewer_[\w-]{1,60}$/.test(after))
      throw new ParleyError("BAD_USER_INPUT", "after must be the viewerId that the page before ends with.");
    const within = conditionOf(tenant);
    const found = await this.#client.modelCall.groupBy({
      by: ["ownerId"],
      where: { ...within, ...(after === null ? {} : { ownerId: { gt: after } }) },
      orderBy: { ownerId: "asc" },
      take: first,
    });
    const ids = found.map(({ ownerId }) => ownerId);
    const sums = await sumUsage(this.#client, "ownerId", ids, within);
    return ids.map((viewerId) => ({ viewerId, usage: sums.get(viewerId) ?? noUsage(this.#prices) }));
  }
}

function conditionOf({ tenantId, month }: TenantUsage): CallCondition {
  return { tenantId, ...(month === null ? {} : { endedAt: monthOf(month) }) };
}

/** From its first instant to that of the next one. */
function monthOf(month: string): { gte: Date; lt: Date } {
  const [, year, number] = /^(20\d\d)-(0[1-9]|1[0-2])$/.exec(month) ?? [];
  if (year === undefined || number === undefined)
    throw new ParleyError("BAD_USER_INPUT", "month must be a year and a month: 2026-11.");
  const index = Number(number) - 1;
  return { gte: new Date(Date.UTC(Number(year), index)), lt: new Date(Date.UTC(Number(year), index + 1)) };
}
