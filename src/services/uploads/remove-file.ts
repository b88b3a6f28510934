import type { DatabaseClient } from "../../db/database.js";
import type { AudioStore } from "../../storage/audio-store.js";

/** Removes the bytes of an upload that was used, then the trace of them: a crash in between leaves the trace alone. */
export async function removeFile(
  { client, store }: { client: DatabaseClient; store: AudioStore },
  { id, storageKey }: { id: string; storageKey: string },
): Promise<void> {
  await store.delete(storageKey);
  await client.audioUpload.updateMany({
    where: { id, storageKey, usedAt: { not: null } },
    data: { storageKey: null },
  });
}
