import type { Database } from "../../db/database.js";
import { dialectOf, sqltag as sql } from "../../db/sql.js";
import type { Sql } from "../../db/sql.js";
import type { Whose } from "./budget-periods.js";
import { calendarOf } from "./calendar.js";

const spenders = {
  viewer: sql`'viewer:' || "ownerId"`,
  tenant: sql`'tenant:' || "tenantId"`,
} as const satisfies Record<Whose, Sql>;

const dayMs = 24 * 60 * 60 * 1000;

/**
 * Counts the current month anew from the calls themselves: what was spent before a budget was set counts, too. Other
 * servers may be counting calls meanwhile; they wait, and what they add afterwards is not among the calls read here. Of persons
 * who were deleted this month the calls tell nothing any more: what was counted of them stays, and never becomes less.
 */
export async function recountSpending({ client, kind }: Database, now: Date): Promise<void> {
  const dialect = dialectOf(kind);
  const { firstOfMonth } = calendarOf(now);
  const begin = new Date(`${firstOfMonth}T00:00:00.000Z`);
  const since = dialect.instant(begin);
  // A day earlier: what ran when they were deleted may have been counted after midnight.
  const deletedSince = dialect.instant(new Date(begin.getTime() - dayMs));
  const day = dialect.dayOf(sql`"endedAt"`);
  const lock = dialect.lockTable(sql`"SpendDay"`);
  await client.$transaction(async (transaction) => {
    if (lock !== null) await transaction.$executeRaw(lock);
    await transaction.$executeRaw`
      DELETE FROM "SpendDay" WHERE "day" >= ${firstOfMonth} AND "scope" NOT IN (
        SELECT ${spenders.viewer} FROM "Deletion" WHERE "kind" = 'PERSON' AND "touchedAt" >= ${deletedSince})`;
    for (const scope of [spenders.viewer, spenders.tenant]) {
      await transaction.$executeRaw`
        INSERT INTO "SpendDay" ("scope", "day", "costMicroUsd")
        SELECT ${scope}, ${day}, CAST(SUM("costMicroUsd") AS BIGINT) FROM "ModelCall"
        WHERE "endedAt" >= ${since} AND "costMicroUsd" > 0 GROUP BY 1, 2
        ON CONFLICT ("scope", "day") DO UPDATE SET "costMicroUsd" = excluded."costMicroUsd"
          WHERE excluded."costMicroUsd" > "SpendDay"."costMicroUsd"`;
    }
  });
}
