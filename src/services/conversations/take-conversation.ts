import type { DatabaseTransaction } from "../../db/database.js";
import type { ConversationRow } from "../../db/rows.js";
import { countEvent } from "../live/conversation-log.js";
import { conversationNotFound } from "../not-found.js";

/**
 * Changes the conversation's row and holds it until the transaction's end, as every write to a conversation does first.
 * Through an owned client only the owner's. The caller records the event that is counted here.
 * @throws ParleyError NOT_FOUND
 */
export async function takeConversation(
  transaction: DatabaseTransaction,
  id: string,
  changes: object = {},
): Promise<ConversationRow> {
  const [conversation] = await transaction.conversation.updateManyAndReturn({
    where: { id },
    data: { ...changes, updatedAt: new Date(), ...countEvent },
  });
  if (conversation === undefined) throw conversationNotFound();
  return conversation;
}
