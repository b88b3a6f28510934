import type { DatabaseTransaction } from "../../db/database.js";
import { uploadNotFound } from "../not-found.js";

/**
 * Marks the upload as used within the transaction that accepts its turn, so that of two turns one gets it.
 * @throws ParleyError NOT_FOUND where it is not the owner's, was used or is gone
 */
export async function useUpload(
  transaction: DatabaseTransaction,
  ownerId: string,
  id: string,
): Promise<void> {
  const { count } = await transaction.audioUpload.updateMany({
    where: { id, ownerId, usedAt: null, receivedAt: { not: null } },
    data: { usedAt: new Date() },
  });
  if (count === 0) throw uploadNotFound();
}
