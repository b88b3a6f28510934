import type { DatabaseClient } from "../../db/database.js";
import type { Dialect } from "../../db/sql.js";
import { calendarOf } from "./calendar.js";
import { isOfActiveTurn } from "./spending.js";

const dayMs = 24 * 60 * 60 * 1000;

/**
 * Removes reservations that count no more: of turns that were deleted while they ran on a server that went away before it
 * could count their calls. Answers how many.
 */
export function sweepReservations(client: DatabaseClient, dialect: Dialect): Promise<number> {
  return client.$executeRaw`
    DELETE FROM "BudgetReservation" WHERE "expiresAt" <= ${dialect.instant(new Date())} AND NOT ${isOfActiveTurn}`;
}

/** Removes the sums of months that are over, a day later, because the clocks of servers differ. Answers how many. */
export async function sweepSpending(client: DatabaseClient): Promise<number> {
  const { firstOfMonth } = calendarOf(new Date(Date.now() - dayMs));
  return (await client.spendDay.deleteMany({ where: { day: { lt: firstOfMonth } } })).count;
}
