import type { DatabaseClient, DatabaseTransaction } from "../../db/database.js";
import { takeConversation } from "../conversations/take-conversation.js";
import { recordEvent } from "../live/conversation-log.js";
import { Spared, spareActive } from "./spared.js";

/** Sound whose time may be over, of one conversation. */
export interface OldSound {
  ownerId: string;
  conversationId: string;
  clipIds: string[];
}

/**
 * Takes the sound of turns that ended before `cutoff` away from its messages, in one transaction; the rows stay, and the
 * keys of the files are written down to be removed. Resolves to how many clips went.
 */
export function removeSound(client: DatabaseClient, sound: OldSound, cutoff: Date): Promise<number> {
  return client.$transaction(async (transaction) => {
    const conversation = await takeConversation(transaction, sound.conversationId);
    await spareActive(transaction, conversation.id);
    const clips = await transaction.audioClip.findMany({
      where: { id: { in: sound.clipIds }, removedAt: null, message: { turn: { endedAt: { lt: cutoff } } } },
      select: { id: true, storageKey: true },
    });
    if (clips.length === 0) throw new Spared();
    await keepKeys(
      transaction,
      clips.map(({ storageKey }) => storageKey),
    );
    await transaction.audioClip.updateMany({
      where: { id: { in: clips.map(({ id }) => id) } },
      data: { removedAt: new Date(), providerAudioId: null },
    });
    await recordEvent(transaction, conversation, "CHANGED");
    return clips.length;
  });
}

/** Writes the files down that are to be removed, before nothing refers to them any more. */
export async function keepKeys(transaction: DatabaseTransaction, keys: readonly string[]): Promise<void> {
  await transaction.deletionFile.createMany({ data: keys.map((path) => ({ path })) });
}
