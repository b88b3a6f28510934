import type { DatabaseTransaction } from "../../db/database.js";
import { tooManyAtOnce } from "../../errors.js";
import type { ParleyError } from "../../errors.js";

/** The turns of a viewer that are queued or running, on whichever server. */
export function countActiveTurns(client: DatabaseTransaction, ownerId: string): Promise<number> {
  return client.turn.count({ where: { ownerId, activeConversationId: { not: null } } });
}

/**
 * To be asked after the turn's event was recorded: from there on the transaction holds the owner's EventCounter, so
 * that of requests at the same moment each sees the turns of those before it.
 * @throws ParleyError RATE_LIMITED where the viewer has more than `maxActive`, this one among them
 */
export async function refuseAboveActive(
  transaction: DatabaseTransaction,
  ownerId: string,
  maxActive: number,
): Promise<void> {
  if ((await countActiveTurns(transaction, ownerId)) > maxActive) throw tooManyActive(maxActive);
}

export function tooManyActive(maxActive: number): ParleyError {
  const message = `At most ${maxActive} turns of a viewer may wait or run at once. Wait for one to end, or cancel one.`;
  return tooManyAtOnce(message);
}
