import type { DatabaseClient } from "../../db/database.js";
import type { Logger } from "../../logger.js";
import type { AudioStore } from "../../storage/audio-store.js";
import { removeAudio } from "../audio/remove-audio.js";
import type { KeptAnswer } from "./finish.js";

export interface ForgetParts {
  client: DatabaseClient;
  store: AudioStore;
  logger: Logger;
}

/**
 * Removes the sound of an answer that was put into the store and then could not be written, because its turn was taken
 * over or deleted. Who took the turn over may have kept the same sound: it goes only where no row refers to it.
 */
export async function forgetAnswer(
  { client, store, logger }: ForgetParts,
  answer: KeptAnswer | null,
): Promise<void> {
  const storageKey = answer?.sound?.storageKey;
  if (storageKey === undefined) return;
  if ((await client.audioClip.count({ where: { storageKey } })) > 0) return;
  await removeAudio(store, logger, [storageKey]);
}
