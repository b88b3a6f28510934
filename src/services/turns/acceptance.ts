import type { DatabaseClient, DatabaseTransaction } from "../../db/database.js";
import type { ConversationRow, TurnRow } from "../../db/rows.js";
import { ParleyError } from "../../errors.js";
import { countEvent } from "../live/conversation-log.js";
import { conversationNotFound } from "../not-found.js";
import { findUse } from "./idempotency.js";
import type { KeyedRequest } from "./idempotency.js";
import type { Question } from "./question.js";
import { isActive, toTurnStatus } from "./status.js";

/** `replayed`: the key was used before, and this is the turn that it stands for; otherwise it waits to be run. */
export type Acceptance =
  { replayed: true; turn: TurnRow } | { replayed: false; turn: TurnRow; question: Question };

/** Ends a transaction whose request turns out to be a replay, so that nothing of it is written. */
class Replayed extends Error {
  readonly turn: TurnRow;

  constructor(turn: TurnRow) {
    super("the key was used before");
    this.turn = turn;
  }
}

export async function unlessReplayed(
  client: DatabaseClient,
  accept: (transaction: DatabaseTransaction) => Promise<Acceptance>,
): Promise<Acceptance> {
  try {
    return await client.$transaction(accept);
  } catch (error) {
    if (error instanceof Replayed) return { replayed: true, turn: error.turn };
    throw error;
  }
}

/**
 * Takes the conversation's row for this transaction, by the write that every acceptance makes: requests for one
 * conversation are accepted one after the other, so that each sees the turns and keys of those before it.
 */
export async function takeConversation(
  transaction: DatabaseTransaction,
  { conversationId }: { conversationId: string },
): Promise<ConversationRow> {
  const now = new Date();
  const [conversation] = await transaction.conversation.updateManyAndReturn({
    where: { id: conversationId },
    data: { lastActivityAt: now, updatedAt: now, archivedAt: null, ...countEvent },
  });
  if (conversation === undefined) throw conversationNotFound();
  return conversation;
}

export async function stopAtReplay(
  transaction: DatabaseTransaction,
  keyed: KeyedRequest | null,
): Promise<void> {
  const use = keyed === null ? null : await findUse(transaction, keyed);
  if (use?.turnId == null) return;
  throw new Replayed(await transaction.turn.findUniqueOrThrow({ where: { id: use.turnId } }));
}

/** Only the last turn can be active: none is added behind an active one, and only the last one is run again. */
export function refuseWhileActive(last: TurnRow | null): void {
  if (last === null || !isActive(toTurnStatus(last.status))) return;
  throw new ParleyError(
    "TURN_IN_PROGRESS",
    "Another turn of this conversation is running. Wait for its end or cancel it, then try again.",
    { retryable: true, turnId: last.id },
  );
}

export function made(turn: TurnRow): { conversationId: string; turnId: string } {
  return { conversationId: turn.conversationId, turnId: turn.id };
}

export function lastTurn(transaction: DatabaseTransaction, conversationId: string): Promise<TurnRow | null> {
  return transaction.turn.findFirst({ where: { conversationId }, orderBy: { position: "desc" } });
}
