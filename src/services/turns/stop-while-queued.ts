import type { DatabaseClient } from "../../db/database.js";
import type { Logger } from "../../logger.js";
import type { StopReason } from "./end-of-call.js";
import type { TurnEnd } from "./finish.js";
import { LeaseLostError } from "./lease.js";
import type { Fence } from "./lease.js";

/**
 * How a turn ends that was stopped before there was a place to run it.
 * @throws LeaseLostError where it is no longer this server's to end
 */
export function endWhileQueued(reason: StopReason): TurnEnd {
  if (reason === "cancelled") return { status: "CANCELLED" };
  throw new LeaseLostError("the turn is no longer run here");
}

/**
 * Leaves a turn whose call has not begun to whoever looks next: another server, or this one when it starts again. Where
 * the database can't be written, its lease runs out by itself.
 */
export async function giveBack(
  { client, logger }: { client: DatabaseClient; logger: Logger },
  fence: Fence,
): Promise<null> {
  try {
    await client.turn.updateMany({
      where: { ...fence, status: "QUEUED", activeConversationId: { not: null } },
      data: { leaseOwner: null, leaseExpiresAt: new Date() },
    });
    logger.info({ turnId: fence.id }, "gave back a turn that was waiting");
  } catch (error) {
    logger.warn({ err: error, turnId: fence.id }, "could not give back a turn that was waiting");
  }
  return null;
}
