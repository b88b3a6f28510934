import { setTimeout as delay } from "node:timers/promises";
import type { DatabaseClient, DatabaseTransaction } from "../../db/database.js";
import type { ConversationRow, DeletionRow } from "../../db/rows.js";
import { takeConversation } from "../conversations/take-conversation.js";
import type { WakeUps } from "../live/wake-ups.js";
import { ParleyError } from "../../errors.js";
import type { TurnService } from "../turns/turn-service.js";
import { forgetCounts, removeKeys, removeUploads } from "./person-traces.js";
import { addToReceipt, deletedOwnerId } from "./receipt.js";
import { removeConversation, removeTurnsBefore } from "./remove-rows.js";

export interface PersonParts {
  client: DatabaseClient;
  wakeUps: WakeUps;
  turns: Pick<TurnService, "drop">;
}

/** So many turns go in one transaction. */
const turnBatch = 200;
const rowBatch = 500;
/**
 * Conversations that were started so long after the request go, too: the clocks of servers differ, and a client may not
 * have heard of it yet. Whoever comes back later begins anew.
 */
export const afterRequestMs = 60_000;
/** Who listens hears of the deletions before they are forgotten: every server looks each 2 s. */
const eventGraceMs = 2_500;

/**
 * Removes all rows of a person, in transactions of bounded size. It may be interrupted anywhere and run again, by another
 * server too: each transaction tells the receipt what it has removed.
 */
export async function removePerson(
  parts: PersonParts,
  deletion: DeletionRow,
  signal: AbortSignal,
): Promise<void> {
  const { client } = parts;
  const until = new Date(deletion.requestedAt.getTime() + afterRequestMs);
  await removeWhatIsThere(parts, deletion, until, signal);
  do await delay(eventGraceMs, undefined, { signal });
  while (await removeWhatIsThere(parts, deletion, until, signal));
  await repeat(signal, () => forgetCaller(client, deletion));
  await repeat(signal, () => removeEvents(client, deletion));
  await removeCounter(client, deletion.ownerId);
  await forgetCounts(client, deletion);
}

/** Whether there was anything; keys first, so that they are good nowhere from then on. */
async function removeWhatIsThere(
  parts: PersonParts,
  deletion: DeletionRow,
  until: Date,
  signal: AbortSignal,
): Promise<boolean> {
  await removeKeys(parts.client, deletion, until);
  const conversations = await removeConversations(parts, deletion, until, signal);
  const uploads = await removeUploads(parts.client, deletion, until, signal);
  return conversations + uploads > 0;
}

async function removeConversations(
  parts: PersonParts,
  deletion: DeletionRow,
  until: Date,
  signal: AbortSignal,
): Promise<number> {
  const { client } = parts;
  const theirs = { ownerId: deletion.ownerId, createdAt: { lte: until } };
  for (let removed = 0; ; removed += 1) {
    // What runs is stopped first.
    const running = { ...theirs, activeTurn: { isNot: null } };
    const conversation =
      (await client.conversation.findFirst({ where: running })) ??
      (await client.conversation.findFirst({ where: theirs }));
    if (conversation === null) return removed;
    await removeAll(parts, deletion, conversation, signal);
  }
}

async function removeAll(
  parts: PersonParts,
  deletion: DeletionRow,
  { id, ownerId }: ConversationRow,
  signal: AbortSignal,
): Promise<void> {
  const { client, wakeUps, turns } = parts;
  try {
    while (await client.$transaction((transaction) => removeOldestTurns(transaction, deletion, id)))
      signal.throwIfAborted();
    signal.throwIfAborted();
    const activeTurnId = await client.$transaction(async (transaction) => {
      const conversation = await takeConversation(transaction, id);
      return removeConversation(transaction, conversation, deletion.id);
    });
    wakeUps.publish(`owner ${ownerId}`);
    await turns.drop(id, activeTurnId);
  } catch (error) {
    // Somebody else was faster: another server, or the person.
    if (!(error instanceof ParleyError && error.code === "NOT_FOUND")) throw error;
  }
}

/** Whether more than one batch is left. The newest turns go with their conversation, an active one among them. */
async function removeOldestTurns(
  transaction: DatabaseTransaction,
  { id: deletionId }: DeletionRow,
  conversationId: string,
): Promise<boolean> {
  const oldest = await transaction.turn.findMany({
    where: { conversationId },
    orderBy: { position: "asc" },
    take: turnBatch + 1,
    select: { position: true },
  });
  const next = oldest[turnBatch];
  if (next === undefined) return false;
  const hold = { eventSequence: { increment: 0 } };
  await transaction.conversation.updateMany({ where: { id: conversationId }, data: hold });
  const counts = await removeTurnsBefore(transaction, conversationId, next.position);
  await addToReceipt(transaction, deletionId, counts);
  return true;
}

/** Calls to the model stay for the sums of tenant and operator, and name nobody. */
function forgetCaller(client: DatabaseClient, { id: deletionId, ownerId }: DeletionRow): Promise<number> {
  return client.$transaction(async (transaction) => {
    const calls = await transaction.modelCall.findMany({
      where: { ownerId, conversationId: null },
      take: rowBatch,
      select: { id: true },
    });
    const { count } = await transaction.modelCall.updateMany({
      where: { id: { in: calls.map(({ id }) => id) }, ownerId },
      data: { ownerId: deletedOwnerId, providerRequestId: null, completionId: null },
    });
    await addToReceipt(transaction, deletionId, { anonymisedCalls: count });
    return count;
  });
}

/** Those of conversations that are there stay: the person has come back meanwhile. */
function removeEvents(client: DatabaseClient, { id: deletionId, ownerId }: DeletionRow): Promise<number> {
  return client.$transaction(async (transaction) => {
    const events = await transaction.$queryRaw<{ sequence: bigint | number }[]>`
      SELECT e."sequence" FROM "ConversationEvent" e WHERE e."ownerId" = ${ownerId}
        AND NOT EXISTS (SELECT 1 FROM "Conversation" c WHERE c."id" = e."conversationId")
      LIMIT ${rowBatch}`;
    const { count } = await transaction.conversationEvent.deleteMany({
      where: { ownerId, sequence: { in: events.map(({ sequence }) => BigInt(sequence)) } },
    });
    await addToReceipt(transaction, deletionId, { events: count });
    return count;
  });
}

/** Held while it is looked whether anything was counted meanwhile: a sequence must not be given twice. */
async function removeCounter(client: DatabaseClient, ownerId: string): Promise<void> {
  await client.$transaction(async (transaction) => {
    await transaction.eventCounter.updateMany({ where: { ownerId }, data: { sequence: { increment: 0 } } });
    const conversations = await transaction.conversation.count({ where: { ownerId } });
    const events = await transaction.conversationEvent.count({ where: { ownerId } });
    if (conversations + events === 0) await transaction.eventCounter.deleteMany({ where: { ownerId } });
  });
}

async function repeat(signal: AbortSignal, batch: () => Promise<number>): Promise<void> {
  let count = 1;
  while (count > 0) {
    signal.throwIfAborted();
    count = await batch();
  }
}
