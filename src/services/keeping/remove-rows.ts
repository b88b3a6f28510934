import type { DatabaseTransaction } from "../../db/database.js";
import { recordEvent } from "../live/conversation-log.js";
import type { CountedConversation } from "../live/conversation-log.js";
import { addToReceipt } from "./receipt.js";
import type { DeletionCounts } from "./receipt.js";

/**
 * Removes a conversation, whose row this transaction has taken, with all that is in it: what went is added to the
 * receipt, which keeps the folder of its sound for as long as it is to be removed. Resolves to the id of the turn that
 * was active, or null.
 */
export async function removeConversation(
  transaction: DatabaseTransaction,
  conversation: CountedConversation,
  deletionId: string,
): Promise<string | null> {
  const { id } = conversation;
  const activeTurnId = await holdActiveTurn(transaction, id);
  const [turns, idempotencyKeys] = [
    await countTurns(transaction, id, {}),
    await transaction.idempotencyKey.count({ where: { conversationId: id } }),
  ];
  const logEntries = activeTurnId === null ? 0 : await countLog(transaction, activeTurnId);
  await transaction.conversation.delete({ where: { id } });
  await transaction.deletionFile.create({ data: { path: `${id}/`, deletionId } });
  await addToReceipt(transaction, deletionId, { ...turns, logEntries, idempotencyKeys, conversations: 1 });
  await recordEvent(transaction, conversation, "DELETED");
  return activeTurnId;
}

/** Who keeps words or sound of an answer holds its turn: what is kept by now is counted, and no more is kept. */
async function holdActiveTurn(
  transaction: DatabaseTransaction,
  conversationId: string,
): Promise<string | null> {
  const [active] = await transaction.turn.updateManyAndReturn({
    where: { activeConversationId: conversationId },
    data: { attempt: { increment: 0 } },
    select: { id: true },
  });
  return active?.id ?? null;
}

/**
 * Removes the turns before a position of a conversation whose row this transaction has taken; the caller sees to it that
 * none of them is active, and to the files of their sound. Resolves to what went.
 */
export async function removeTurnsBefore(
  transaction: DatabaseTransaction,
  conversationId: string,
  position: number,
): Promise<Partial<DeletionCounts>> {
  const before = { position: { lt: position } };
  const counts = await countTurns(transaction, conversationId, before);
  const turn = { conversationId, ...before };
  const idempotencyKeys = await transaction.idempotencyKey.count({ where: { conversationId, turn } });
  await transaction.turn.deleteMany({ where: turn });
  return { ...counts, idempotencyKeys };
}

async function countTurns(
  transaction: DatabaseTransaction,
  conversationId: string,
  which: { position?: { lt: number } },
) {
  const turn = { conversationId, ...which };
  // Without a position every clip of the conversation counts, which its own index tells.
  const clip = which.position === undefined ? { conversationId } : { conversationId, message: { turn } };
  const turns = await transaction.turn.count({ where: turn });
  const messages = await transaction.message.count({ where: { turn } });
  const clips = await transaction.audioClip.aggregate({
    where: clip,
    _count: { _all: true },
    _sum: { byteLength: true },
  });
  return {
    turns,
    messages,
    clips: clips._count._all,
    audioByteLength: BigInt(clips._sum.byteLength ?? 0),
  };
}

function countLog(transaction: DatabaseTransaction, turnId: string): Promise<number> {
  return transaction.answerLogEntry.count({ where: { message: { turnId } } });
}
