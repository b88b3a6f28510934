import type { DatabaseClient, DatabaseTransaction } from "../../db/database.js";
import type { ConversationRow } from "../../db/rows.js";
import { takeConversation } from "../conversations/take-conversation.js";
import { countUsable } from "../history/load-history.js";
import { recordEvent } from "../live/conversation-log.js";
import { keepKeys } from "./remove-sound.js";
import { removeTurnsBefore } from "./remove-rows.js";
import { Spared, spareActive } from "./spared.js";

/** So many turns go in one transaction. */
const batchSize = 200;

/**
 * Removes the oldest turns of a conversation, those that ended before `cutoff`, a batch in one transaction; the newest
 * turn stays as long as its conversation, so that positions go on. Resolves to how many turns went.
 */
export function trimConversation(
  client: DatabaseClient,
  { id }: Pick<ConversationRow, "id">,
  cutoff: Date,
): Promise<number> {
  return client.$transaction(async (transaction) => {
    const conversation = await takeConversation(transaction, id);
    await spareActive(transaction, id);
    const position = await firstToStay(transaction, conversation, cutoff);
    if (position <= conversation.firstPosition) throw new Spared();
    const usable = await countUsable(transaction, id, position);
    await keepKeysBefore(transaction, id, position);
    const { turns } = await removeTurnsBefore(transaction, id, position);
    await transaction.conversation.update({
      where: { id },
      data: { firstPosition: position, usableRemoved: { increment: usable } },
    });
    await recordEvent(transaction, conversation, "CHANGED");
    return turns ?? 0;
  });
}

async function firstToStay(
  transaction: DatabaseTransaction,
  { id: conversationId, firstPosition }: ConversationRow,
  cutoff: Date,
): Promise<number> {
  const young = await transaction.turn.findFirst({
    where: { conversationId, OR: [{ endedAt: null }, { endedAt: { gte: cutoff } }] },
    orderBy: { position: "asc" },
    select: { position: true },
  });
  const newest = await transaction.turn.findFirst({
    where: { conversationId },
    orderBy: { position: "desc" },
    select: { position: true },
  });
  const stays = young?.position ?? newest?.position ?? firstPosition;
  return Math.min(stays, firstPosition + batchSize);
}

async function keepKeysBefore(
  transaction: DatabaseTransaction,
  conversationId: string,
  position: number,
): Promise<void> {
  const turn = { conversationId, position: { lt: position } };
  const clips = await transaction.audioClip.findMany({
    where: { removedAt: null, message: { turn } },
    select: { storageKey: true },
  });
  await keepKeys(
    transaction,
    clips.map(({ storageKey }) => storageKey),
  );
}
