import type { DatabaseClient } from "../../db/database.js";
import type { DeletionRow } from "../../db/rows.js";
import { calendarOf } from "../budgets/calendar.js";
import { scopeOf } from "../budgets/spending.js";
import { viewerRateKeys } from "../rates/rate-limits.js";
import { addToReceipt } from "./receipt.js";

/** What is kept of a person beside their conversations. Each of these may be run again. */

const pageSize = 100;

/** The keys that were made for the person until then are good nowhere from now on. */
export async function removeKeys(
  client: DatabaseClient,
  { id: deletionId, ownerId }: DeletionRow,
  until: Date,
): Promise<void> {
  await client.$transaction(async (transaction) => {
    const { count } = await transaction.apiKey.deleteMany({
      where: { viewerId: ownerId, createdAt: { lte: until } },
    });
    if (count > 0) await addToReceipt(transaction, deletionId, { apiKeys: count });
  });
}

/** Each with its file, which is written down before nothing refers to it any more. Resolves to how many there were. */
export async function removeUploads(
  client: DatabaseClient,
  { id: deletionId, ownerId }: DeletionRow,
  until: Date,
  signal: AbortSignal,
): Promise<number> {
  for (let removed = 0; ; removed += pageSize) {
    const uploads = await client.audioUpload.findMany({
      where: { ownerId, createdAt: { lte: until } },
      take: pageSize,
      select: { id: true },
    });
    for (const { id } of uploads) {
      signal.throwIfAborted();
      await client.$transaction(async (transaction) => {
        const { count } = await transaction.audioUpload.deleteMany({ where: { id } });
        if (count === 0) return;
        await transaction.deletionFile.create({ data: { path: `${id}/`, deletionId } });
        await addToReceipt(transaction, deletionId, { uploads: count });
      });
    }
    if (uploads.length < pageSize) return removed + uploads.length;
  }
}

/**
 * Of what the person has spent and how much they have asked for only what counts no more. Numbers of the month and of the
 * minute that run stay until these are over, and what is held for calls until they are counted: else whoever has used up
 * their budget could delete themselves and begin with a whole one.
 */
export async function forgetCounts(
  client: DatabaseClient,
  { ownerId, tenantId }: DeletionRow,
): Promise<void> {
  const scope = scopeOf("viewer", { ownerId, tenantId });
  const now = new Date();
  const before = { lt: calendarOf(now).firstOfMonth };
  const days = await client.spendDay.findMany({ where: { scope, day: before }, select: { day: true } });
  // One by one: who counts a call takes several, and must not wait for one that is held here.
  for (const { day } of days) await client.spendDay.deleteMany({ where: { scope, day } });
  const over = { lte: BigInt(now.getTime()) };
  for (const key of viewerRateKeys(ownerId))
    await client.rateWindow.deleteMany({ where: { key, endsAtMs: over } });
}
