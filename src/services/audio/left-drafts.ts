import type { DatabaseClient } from "../../db/database.js";
import type { AudioStore } from "../../storage/audio-store.js";
import { conversationOfKey } from "./clip-key.js";

/** So many conversations are looked up in one statement. */
const batchSize = 500;

/**
 * Removes what is left of answers that have ended. A draft is needed for as long as its turn is active, however long
 * nobody touches it: a server waits for a file that comes in one piece, or a turn whose server died waits to be
 * recovered. Its turn was active before it was made and no later attempt has its key, so that without an active turn
 * nobody needs it. Answers how many went.
 */
export async function sweepAnswerDrafts(
  client: DatabaseClient,
  store: AudioStore,
  olderThanMs: number,
): Promise<number> {
  const keys = await store.draftKeys(olderThanMs);
  let swept = 0;
  while (keys.length > 0) {
    const left = await leftAmong(client, keys.splice(0, batchSize));
    for (const key of left) await store.deleteDraft(key);
    swept += left.length;
  }
  return swept;
}

async function leftAmong(client: DatabaseClient, keys: string[]): Promise<string[]> {
  const turns = await client.turn.findMany({
    where: { activeConversationId: { in: keys.map(conversationOfKey) } },
    select: { conversationId: true },
  });
  const active = new Set(turns.map(({ conversationId }) => conversationId));
  return keys.filter((key) => !active.has(conversationOfKey(key)));
}
