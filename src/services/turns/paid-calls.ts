import type { DatabaseClient, DatabaseTransaction } from "../../db/database.js";
import type { TurnRow } from "../../db/rows.js";
import type { Budgets } from "../budgets/budgets.js";
import { deletedOwnerId } from "../keeping/receipt.js";
import type { CallColumns } from "./call-record.js";

/** Where calls are counted. */
export interface PaidCallsParts {
  client: DatabaseClient;
  budgets: Budgets | null;
}

/**
 * Writes the calls of an attempt that ends, in the transaction of its end, which holds the conversation's row. What they
 * cost takes the place of what was reserved for them.
 */
export async function writeCalls(
  transaction: DatabaseTransaction,
  turn: TurnRow,
  calls: readonly CallColumns[],
  budgets: Budgets | null,
): Promise<void> {
  const counted = await countedBefore(transaction, calls);
  const data = calls.filter(({ id }) => !counted.has(id)).map((call) => ({ ...call, ...ownersOf(turn) }));
  if (data.length > 0) await transaction.modelCall.createMany({ data });
  await budgets?.release(transaction, turn);
  await budgets?.count(transaction, turn, data);
}

/** A call that its own server knew nothing of can only be estimated; a server that was slow may have counted it already. */
async function countedBefore(
  transaction: DatabaseTransaction,
  calls: readonly CallColumns[],
): Promise<Set<string>> {
  const ids = calls.flatMap(({ id, outcome }) => (outcome === "INTERRUPTED" ? [id] : []));
  if (ids.length === 0) return new Set();
  const found = await transaction.modelCall.findMany({ where: { id: { in: ids } }, select: { id: true } });
  return new Set(found.map(({ id }) => id));
}

/**
 * The calls of an attempt whose turn was taken over or deleted are still paid, so they are still counted: for the
 * viewer alone where the conversation is gone.
 */
export function recordCalls(
  { client, budgets }: PaidCallsParts,
  turn: TurnRow,
  calls: readonly CallColumns[],
): Promise<void> {
  return client.$transaction(async (transaction) => {
    const isThere = await holdConversation(transaction, turn);
    const whose = isThere ? ownersOf(turn) : await ownersWithoutTurn(transaction, turn);
    const named = whose.ownerId === turn.ownerId ? {} : { providerRequestId: null, completionId: null };
    const data = calls.map((call) => ({ ...call, ...whose, ...named }));
    // Who took the turn over may have counted the call already, by estimate.
    const estimates = { where: { id: { in: data.map(({ id }) => id) } } };
    const replaced = budgets === null ? [] : await transaction.modelCall.findMany(estimates);
    await transaction.modelCall.deleteMany(estimates);
    await transaction.modelCall.createMany({ data });
    // What is reserved for a turn that is there goes with its end.
    if (!isThere) await budgets?.release(transaction, turn);
    // A person who was deleted meanwhile pays, though the call doesn't name them: see forgetCounts.
    await budgets?.count(transaction, turn, data, replaced);
  });
}

/**
 * Takes the conversation's row before any other, as every transaction does that ends a turn or deletes the conversation
 * (see takeConversation), by a write that changes nothing: nothing has happened of which its events would tell. False where
 * it is gone; otherwise it stays until the commit, and its turns with it.
 */
export async function holdConversation(transaction: DatabaseTransaction, turn: TurnRow): Promise<boolean> {
  const { count } = await transaction.conversation.updateMany({
    where: { id: turn.conversationId },
    data: { eventSequence: { increment: 0 } },
  });
  return count > 0;
}

/** A person who was deleted meanwhile is named no more. */
async function ownersWithoutTurn(transaction: DatabaseTransaction, turn: TurnRow) {
  const { ownerId, createdAt } = turn;
  const gone = { ownerId, kind: "PERSON", OR: [{ completedAt: null }, { completedAt: { gte: createdAt } }] };
  const deleted = (await transaction.deletion.count({ where: gone })) > 0;
  const owners = { ...ownersOf(turn), turnId: null, conversationId: null };
  return deleted ? { ...owners, ownerId: deletedOwnerId } : owners;
}

function ownersOf({ ownerId, tenantId, conversationId, id: turnId, attempt }: TurnRow) {
  return { ownerId, tenantId, conversationId, turnId, attempt };
}
