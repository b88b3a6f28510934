import type { Logger } from "../../logger.js";
import type { AudioStore } from "../../storage/audio-store.js";

/** Removes sound that no row refers to any more. What can't be removed is told in the log and keeps nobody waiting. */
export async function removeAudio(store: AudioStore, logger: Logger, keys: readonly string[]): Promise<void> {
  for (const storageKey of keys) {
    try {
      await store.delete(storageKey);
      // Of an answer that was still being said, whose server is gone.
      await store.deleteDraft(storageKey);
    } catch (error) {
      logger.error(
        { err: error, storageKey },
        "could not remove sound that is no longer needed; remove the file",
      );
    }
  }
}
