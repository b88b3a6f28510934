import type { DatabaseClient } from "../../db/database.js";
import type { AudioStore } from "../../storage/audio-store.js";

/** So many keys are looked up in one statement. */
const batchSize = 500;

/**
 * Removes sound that no row refers to, as a crash between the file and its row leaves it. Only what is at least
 * `olderThanMs` old: a row may still be on its way. Answers how many files went.
 */
export async function sweepOrphans(
  client: DatabaseClient,
  store: AudioStore,
  olderThanMs: number,
): Promise<number> {
  let swept = 0;
  for await (const keys of store.keys(olderThanMs)) {
    for (let start = 0; start < keys.length; start += batchSize) {
      const orphans = await orphansAmong(client, keys.slice(start, start + batchSize));
      for (const key of orphans) await store.delete(key);
      swept += orphans.length;
    }
  }
  return swept;
}

async function orphansAmong(client: DatabaseClient, keys: string[]): Promise<string[]> {
  const clips = await client.audioClip.findMany({
    where: { storageKey: { in: keys } },
    select: { storageKey: true },
  });
  const known = new Set(clips.map(({ storageKey }) => storageKey));
  return keys.filter((key) => !known.has(key));
}
