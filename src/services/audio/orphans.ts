import type { DatabaseClient } from "../../db/database.js";
import type { AudioStore } from "../../storage/audio-store.js";

/** So many keys are looked up in one statement. */
const batchSize = 500;

/**
 * Removes sound that no row refers to, as a crash between the file and its row leaves it. Only what is at least
 * `olderThanMs` old: a row may still be on its way, or come back with a backup. Answers how many files went.
 */
export async function sweepOrphans(
  client: DatabaseClient,
  store: AudioStore,
  olderThanMs: number,
  signal: AbortSignal,
): Promise<number> {
  let swept = 0;
  let waiting: string[] = [];
  const sweep = async () => {
    const orphans = await orphansAmong(client, waiting.splice(0, batchSize));
    for (const key of orphans) await store.delete(key);
    swept += orphans.length;
  };
  for await (const keys of store.keys(olderThanMs)) {
    waiting = waiting.concat(keys);
    while (waiting.length >= batchSize && !signal.aborted) await sweep();
    if (signal.aborted) return swept;
  }
  if (waiting.length > 0) await sweep();
  return swept;
}

async function orphansAmong(client: DatabaseClient, keys: string[]): Promise<string[]> {
  const query = { where: { storageKey: { in: keys } }, select: { storageKey: true } } as const;
  const clips = await client.audioClip.findMany(query);
  const uploads = await client.audioUpload.findMany(query);
  const known = new Set([...clips, ...uploads].map(({ storageKey }) => storageKey));
  return keys.filter((key) => !known.has(key));
}
