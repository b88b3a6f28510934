import type { DatabaseTransaction } from "../../db/database.js";
import { uploadNotFound } from "../not-found.js";

/**
 * Marks the upload as used within the transaction that accepts its turn, so that of two turns one gets it.
 * @throws ParleyError NOT_FOUND where it is not of whoever the transaction is bound to, was used or is gone
 */
export async function useUpload(transaction: DatabaseTransaction, id: string): Promise<void> {
  const { count } = await transaction.audioUpload.updateMany({
    where: { id, usedAt: null, receivedAt: { not: null } },
    data: { usedAt: new Date() },
  });
  if (count === 0) throw uploadNotFound();
}
