import { access, constants } from "node:fs/promises";
import { join } from "node:path";
import { databaseId } from "../db/database.js";
import { FileAudioStore } from "../storage/file-audio-store.js";
import { RefusedError } from "./usage-error.js";
import type { CommandContext } from "./command.js";

/**
 * The audio that goes with the database. With another DATA_DIR than the server's all sound would look as if it was gone.
 * @throws RefusedError
 */
export async function openAudio({ config, database }: CommandContext): Promise<FileAudioStore> {
  const folder = join(config.dataDir, "audio");
  try {
    await access(folder, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch {
    throw new RefusedError(`There is no ${folder} that this user may write. DATA_DIR must be the server's.`);
  }
  const store = new FileAudioStore(folder);
  const id = await databaseId(database.client);
  if ((await store.claim(id)) !== id)
    throw new RefusedError(
      `${folder} belongs to another database. DATABASE_URL and DATA_DIR must be the server's.`,
    );
  return store;
}
