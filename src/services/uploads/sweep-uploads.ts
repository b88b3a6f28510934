import type { DatabaseClient } from "../../db/database.js";
import type { AudioStore } from "../../storage/audio-store.js";
import { removeFile } from "./remove-file.js";

interface SweepParts {
  client: DatabaseClient;
  store: AudioStore;
}

/** So long a turn that began with an upload before its end may still be on its way. */
const graceMs = 10 * 60 * 1000;
/** So long a request that is sent again is known by the upload it came with. */
const rememberedMs = 7 * 24 * 60 * 60 * 1000;
const batchSize = 100;

/**
 * Removes uploads that nobody has used, and what is left of used ones. The file goes before the row that names it, so
 * that the next sweep ends what a crash has cut off. Answers how many rows and files of used ones went.
 */
export async function sweepUploads(parts: SweepParts): Promise<number> {
  return (await sweepUnused(parts)) + (await sweepUsedFiles(parts)) + (await forgetUsed(parts));
}

async function sweepUnused({ client, store }: SweepParts): Promise<number> {
  let swept = 0;
  for (;;) {
    const ended = await client.audioUpload.findMany({
      where: { usedAt: null, expiresAt: { lt: before(graceMs) } },
      take: batchSize,
    });
    for (const { storageKey } of ended) if (storageKey !== null) await store.delete(storageKey);
    const ids = ended.map(({ id }) => id);
    const { count } = await client.audioUpload.deleteMany({ where: { id: { in: ids }, usedAt: null } });
    swept += count;
    if (count < batchSize) return swept;
  }
}

async function sweepUsedFiles(parts: SweepParts): Promise<number> {
  const used = await parts.client.audioUpload.findMany({
    where: { usedAt: { lt: before(graceMs) }, storageKey: { not: null } },
  });
  for (const { id, storageKey } of used) if (storageKey !== null) await removeFile(parts, { id, storageKey });
  return used.length;
}

async function forgetUsed({ client }: SweepParts): Promise<number> {
  const where = { usedAt: { lt: before(rememberedMs) }, storageKey: null };
  return (await client.audioUpload.deleteMany({ where })).count;
}

function before(ms: number): Date {
  return new Date(Date.now() - ms);
}
