import type { DatabaseTransaction } from "../../db/database.js";

export type ConversationEventType = "STARTED" | "CHANGED" | "DELETED" | "TURN";

/** A conversation as it is after the write that took its row and counted its events up. */
export interface CountedConversation {
  id: string;
  ownerId: string;
  eventSequence: number;
}

/** What that write adds to its data. */
export const countEvent = { eventSequence: { increment: 1 } } as const;

/**
 * Writes an event to the log, as the last statement of the transaction in which it happened: the owner's counter is
 * held until the commit, so that events come in the order of their sequences and a reader can't pass one by.
 */
export async function recordEvent(
  transaction: DatabaseTransaction,
  conversation: CountedConversation,
  type: ConversationEventType,
  turnId: string | null = null,
): Promise<void> {
  const { id: conversationId, ownerId, eventSequence: conversationSequence } = conversation;
  const createdAt = new Date();
  const sequence = await nextSequence(transaction, ownerId, createdAt);
  await transaction.conversationEvent.create({
    data: { ownerId, sequence, conversationId, conversationSequence, type, turnId, createdAt },
  });
}

async function nextSequence(transaction: DatabaseTransaction, ownerId: string, now: Date): Promise<bigint> {
  const microseconds = BigInt(now.getTime()) * 1000n;
  const counted: { sequence: number | bigint }[] = await transaction.$queryRaw`
    INSERT INTO "EventCounter" ("ownerId", "sequence") VALUES (${ownerId}, ${microseconds})
    ON CONFLICT ("ownerId") DO UPDATE SET "sequence" =
      CASE WHEN excluded."sequence" > "EventCounter"."sequence" THEN excluded."sequence"
        ELSE "EventCounter"."sequence" + 1 END
    RETURNING "sequence"`;
  return BigInt(counted[0]?.sequence ?? microseconds);
}

const types = ["STARTED", "CHANGED", "DELETED", "TURN"] as const satisfies ConversationEventType[];

/** The type that a row names. Rows are written by this server only, so another word is a fault. */
export function toEventType(word: string): ConversationEventType {
  const type = types.find((name) => name === word);
  if (type === undefined) throw new Error(`a row names the event type ${word}`);
  return type;
}
