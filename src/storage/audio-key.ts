import { StorageError } from "./storage-error.js";

export interface AudioKey {
  folder: string;
  name: string;
}

export const draftsFolder = "drafts";

// A leading dot would allow `..` and hidden files; 128 characters stay within every file system's limit of a name.
const part = /^[A-Za-z0-9_-][A-Za-z0-9_.-]{0,127}$/;

/** Splits `folder/name`. Throws where a part is missing, too long, reserved or could leave the store's directory. */
export function parseAudioKey(key: string): AudioKey {
  const [folder, name, ...rest] = key.split("/");
  const valid = folder !== undefined && name !== undefined && rest.length === 0;
  // Compared in lower case because some file systems are.
  if (!valid || !part.test(folder) || !part.test(name) || folder.toLowerCase() === draftsFolder) {
    throw new StorageError("failed", `Not a key of audio storage: ${JSON.stringify(key.slice(0, 200))}.`);
  }
  return { folder, name };
}

// No key has a tilde, so that it can be told apart again.
const draftSeparator = "~";
const draftEnding = ".part";

/** What the draft of a key is called in the folder of drafts. */
export function draftNameOf(key: string): string {
  const { folder, name } = parseAudioKey(key);
  return `${folder}${draftSeparator}${name}${draftEnding}`;
}

/** The key of a file found in the folder of drafts; null where it is the draft of none. */
export function keyOfDraft(fileName: string): string | null {
  if (!fileName.endsWith(draftEnding)) return null;
  const [folder = "", name = "", ...rest] = fileName.slice(0, -draftEnding.length).split(draftSeparator);
  const key = `${folder}/${name}`;
  return rest.length === 0 && isAudioKey(key) ? key : null;
}

/** Whether a file found in a folder of the store could have been stored under a key. */
export function isAudioKey(key: string): boolean {
  try {
    parseAudioKey(key);
    return true;
  } catch {
    return false;
  }
}
