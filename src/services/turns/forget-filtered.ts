import type { DatabaseClient } from "../../db/database.js";
import type { TurnRow } from "../../db/rows.js";
import { asFiltered } from "./call-record.js";
import type { Fence } from "./lease.js";
import { holdConversation } from "./paid-calls.js";

/**
 * Removes what the log holds of an answer that turned out to be filtered, and notes it in the turn, so that whoever ends
 * the turn keeps nothing of it: that is promised, and the end itself may come late, from another server. Does nothing
 * where the turn is no longer run here, or its call was not begun.
 */
export function forgetFiltered(client: DatabaseClient, turn: TurnRow, fence: Fence, runningCall: string) {
  return client.$transaction(async (transaction) => {
    await holdConversation(transaction, turn);
    const { count } = await transaction.turn.updateMany({
      where: { ...fence, activeConversationId: { not: null } },
      data: { runningCall: asFiltered(runningCall) },
    });
    if (count === 0) return;
    await transaction.message.deleteMany({ where: { turnId: turn.id, role: "ASSISTANT" } });
  });
}
