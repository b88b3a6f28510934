import type { DatabaseClient } from "../../db/database.js";

/** Whether so many bytes of a clip's file should be there. While it grows, whoever asks was told of them by the log. */
export async function isTold(
  client: DatabaseClient,
  storageKey: string,
  byteLength: number,
): Promise<boolean> {
  const clip = await client.audioClip.findUnique({
    where: { storageKey },
    select: { byteLength: true, sha256: true, removedAt: true },
  });
  return clip?.removedAt === null && (clip.sha256 === null || clip.byteLength >= byteLength);
}
