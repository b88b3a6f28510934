import type { Database } from "../../db/database.js";
import { dialectOf, sqltag as sql } from "../../db/sql.js";
import type { Sql } from "../../db/sql.js";
import type { Whose } from "./budget-periods.js";
import { calendarOf } from "./calendar.js";

const spenders = {
  viewer: sql`'viewer:' || "ownerId"`,
  tenant: sql`'tenant:' || "tenantId"`,
} as const satisfies Record<Whose, Sql>;

/**
 * Counts the current month anew from the calls themselves: what was spent before a budget was set counts, too. Other
 * servers may be counting calls meanwhile; they wait, and what they add afterwards is not among the calls read here.
 */
export async function recountSpending({ client, kind }: Database, now: Date): Promise<void> {
  const dialect = dialectOf(kind);
  const { firstOfMonth } = calendarOf(now);
  const since = dialect.instant(new Date(`${firstOfMonth}T00:00:00.000Z`));
  const day = dialect.dayOf(sql`"endedAt"`);
  const lock = dialect.lockTable(sql`"SpendDay"`);
  await client.$transaction(async (transaction) => {
    if (lock !== null) await transaction.$executeRaw(lock);
    await transaction.spendDay.deleteMany({ where: { day: { gte: firstOfMonth } } });
    for (const scope of [spenders.viewer, spenders.tenant]) {
      await transaction.$executeRaw`
        INSERT INTO "SpendDay" ("scope", "day", "costMicroUsd")
        SELECT ${scope}, ${day}, CAST(SUM("costMicroUsd") AS BIGINT) FROM "ModelCall"
        WHERE "endedAt" >= ${since} AND "costMicroUsd" > 0 GROUP BY 1, 2`;
    }
  });
}
