import type { DatabaseClient } from "../../db/database.js";
import type { Logger } from "../../logger.js";
import type { AudioStore } from "../../storage/audio-store.js";

export interface RemoveFilesParts {
  client: DatabaseClient;
  store: AudioStore;
  logger: Logger;
}

const pageSize = 200;

/**
 * Removes the sound that a receipt waits for; null: that of no receipt. Resolves to whether all of it is gone: what can't
 * be removed now is named in the log and stays written down, to be tried again.
 */
export async function removeFiles(
  parts: RemoveFilesParts,
  deletionId: string | null,
  signal: AbortSignal,
): Promise<boolean> {
  const { client } = parts;
  let last = "";
  let allGone = true;
  for (;;) {
    const waiting = await client.deletionFile.findMany({
      where: { deletionId, path: { gt: last } },
      orderBy: { path: "asc" },
      take: pageSize,
    });
    const gone: string[] = [];
    for (const { path } of waiting) {
      if (signal.aborted) return false;
      if (await removePath(parts, path)) gone.push(path);
    }
    await client.deletionFile.deleteMany({ where: { path: { in: gone } } });
    allGone &&= gone.length === waiting.length;
    last = waiting.at(-1)?.path ?? last;
    if (waiting.length < pageSize) return allGone;
  }
}

/** A key, or all that is in a folder: also what no row knew of, as a crash in the middle of an upload leaves it. */
async function removePath({ store, logger }: RemoveFilesParts, path: string): Promise<boolean> {
  try {
    const keys = path.endsWith("/") ? await store.keysIn(path.slice(0, -1)) : [path];
    let allGone = true;
    for (const key of keys) allGone = (await removeKey(store, logger, key)) && allGone;
    return allGone;
  } catch (error) {
    tell(logger, error, path);
    return false;
  }
}

async function removeKey(store: AudioStore, logger: Logger, storageKey: string): Promise<boolean> {
  try {
    await store.delete(storageKey);
    await store.deleteDraft(storageKey);
    return true;
  } catch (error) {
    tell(logger, error, storageKey);
    return false;
  }
}

function tell(logger: Logger, error: unknown, storageKey: string): void {
  logger.error({ err: error, storageKey }, "could not remove sound that was deleted; trying again");
}
