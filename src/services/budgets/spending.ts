import type { DatabaseTransaction } from "../../db/database.js";
import { sqltag as sql, valuesOf } from "../../db/sql.js";
import type { Dialect } from "../../db/sql.js";
import type { SpendingOf, Whose } from "./budget-periods.js";
import type { Calendar } from "./calendar.js";

/** Whose money a turn spends. */
export interface Spender {
  ownerId: string;
  tenantId: string;
}

/** An amount on a day; below zero where an estimate was too high. */
export interface SpentOnDay {
  day: string;
  microUsd: number;
}

export function scopeOf(whose: Whose, { ownerId, tenantId }: Spender): string {
  return whose === "viewer" ? `viewer:${ownerId}` : `tenant:${tenantId}`;
}

/**
 * Adds to the sums of the days and holds them until the commit. Every transaction takes them in one order, the viewer's
 * before the tenant's and earlier days first, so that they wait for each other and never for each other's rows.
 */
export async function addSpending(
  transaction: DatabaseTransaction,
  scopes: readonly string[],
  amounts: readonly SpentOnDay[],
): Promise<void> {
  const sorted = [...amounts].sort((left, right) => (left.day < right.day ? -1 : 1));
  const rows = scopes.flatMap((scope) =>
    sorted.map(({ day, microUsd }) => [scope, day, BigInt(microUsd)] as const),
  );
  if (rows.length === 0) return;
  await transaction.$executeRaw`
    INSERT INTO "SpendDay" ("scope", "day", "costMicroUsd") VALUES ${valuesOf(rows)}
    ON CONFLICT ("scope", "day") DO UPDATE
      SET "costMicroUsd" = "SpendDay"."costMicroUsd" + excluded."costMicroUsd"`;
}

/** What was spent today and this month, and what is held, of the viewer and of their tenant. */
export async function readSpending(
  client: DatabaseTransaction,
  dialect: Dialect,
  spender: Spender,
  { today, firstOfMonth }: Calendar,
): Promise<SpendingOf> {
  const scopes = [scopeOf("viewer", spender), scopeOf("tenant", spender)];
  const spent: { scope: string; today: bigint; month: bigint }[] = await client.$queryRaw`
    SELECT "scope",
      CAST(SUM(CASE WHEN "day" = ${today} THEN "costMicroUsd" ELSE 0 END) AS BIGINT) AS "today",
      CAST(SUM("costMicroUsd") AS BIGINT) AS "month"
    FROM "SpendDay" WHERE "scope" IN (${scopes[0]}, ${scopes[1]}) AND "day" >= ${firstOfMonth}
    GROUP BY "scope"`;
  const reserved = await readReserved(client, dialect, spender);
  const spendingOf = (whose: Whose) => {
    const sums = spent.find(({ scope }) => scope === scopeOf(whose, spender));
    return { day: Number(sums?.today ?? 0), month: Number(sums?.month ?? 0), reserved: reserved[whose] };
  };
  return { viewer: spendingOf("viewer"), tenant: spendingOf("tenant") };
}

/** A reservation counts for as long as its turn is queued or running, however long that takes, and until it expires. */
async function readReserved(
  client: DatabaseTransaction,
  dialect: Dialect,
  { ownerId, tenantId }: Spender,
): Promise<Record<Whose, number>> {
  const [sums]: { viewer: bigint | null; tenant: bigint | null }[] = await client.$queryRaw`
    SELECT
      CAST(SUM(CASE WHEN "ownerId" = ${ownerId} THEN "costMicroUsd" ELSE 0 END) AS BIGINT) AS "viewer",
      CAST(SUM("costMicroUsd") AS BIGINT) AS "tenant"
    FROM "BudgetReservation" WHERE "tenantId" = ${tenantId}
      AND ("expiresAt" > ${dialect.instant(new Date())} OR ${isOfActiveTurn})`;
  return { viewer: Number(sums?.viewer ?? 0), tenant: Number(sums?.tenant ?? 0) };
}

/** For statements about BudgetReservation. */
export const isOfActiveTurn = sql`EXISTS (
  SELECT 1 FROM "Turn" WHERE "Turn"."id" = "BudgetReservation"."turnId"
    AND "Turn"."attempt" = "BudgetReservation"."attempt" AND "Turn"."activeConversationId" IS NOT NULL)`;
