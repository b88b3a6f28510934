import type { DatabaseTransaction } from "../../db/database.js";
import { ParleyError } from "../../errors.js";

/** Ends a transaction in which it turns out that nothing is to go, so that nothing of it is written. */
export class Spared extends Error {
  constructor() {
    super("there is nothing to remove");
  }
}

/** A conversation is left alone while a turn of it is active: what its request refers to must stay. */
export async function spareActive(transaction: DatabaseTransaction, conversationId: string): Promise<void> {
  const active = await transaction.turn.count({ where: { activeConversationId: conversationId } });
  if (active > 0) throw new Spared();
}

/** Null where nothing was to be removed, or the conversation has gone meanwhile. */
export async function unlessSpared<Result>(work: Promise<Result>): Promise<Result | null> {
  try {
    return await work;
  } catch (error) {
    const isGone = error instanceof ParleyError && error.code === "NOT_FOUND";
    if (error instanceof Spared || isGone) return null;
    throw error;
  }
}
