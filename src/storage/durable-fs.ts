import { link, mkdir, open, rmdir, unlink } from "node:fs/promises";
import { dirname } from "node:path";

import { fsErrorCode } from "./storage-error.js";

// Windows and some network file systems can't sync a directory; there a name becomes durable on its own.
const directorySyncUnsupported = new Set(["EISDIR", "EPERM", "EACCES", "EINVAL", "ENOTSUP"]);

/** Makes the names in a directory survive a loss of power; the sync of a file covers only its bytes. */
export async function syncDirectory(path: string): Promise<void> {
  const handle = await openDirectory(path);
  if (handle === null) return;
  try {
    await handle.sync();
  } catch (error) {
    if (!directorySyncUnsupported.has(fsErrorCode(error) ?? "")) throw error;
  } finally {
    await handle.close();
  }
}

async function openDirectory(path: string) {
  try {
    return await open(path, "r");
  } catch (error) {
    if (directorySyncUnsupported.has(fsErrorCode(error) ?? "")) return null;
    throw error;
  }
}

/**
 * Gives a synced file its final name, never over an existing one (EEXIST). A hard link does both at once, which a
 * rename doesn't: it would overwrite. Where it throws, nothing stands under the final name.
 */
export async function publishFile(temporaryPath: string, path: string): Promise<void> {
  const folder = dirname(path);
  await linkIntoFolder(temporaryPath, path);
  try {
    // The folder may be new, made by this process or by another that has not synced its name yet.
    await Promise.all([syncDirectory(folder), syncDirectory(dirname(folder))]);
  } catch (error) {
    await removeFile(path);
    throw error;
  }
  // The bytes are safe: a temporary name that stays is for the sweep.
  await removeFile(temporaryPath).catch(() => false);
}

// The folder is mostly there; and the deletion of its last file may remove it between mkdir and link.
async function linkIntoFolder(temporaryPath: string, path: string): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await link(temporaryPath, path);
      return;
    } catch (error) {
      if (fsErrorCode(error) !== "ENOENT" || attempt === 6) throw error;
    }
    await mkdir(dirname(path), { recursive: true });
  }
}

/** Answers whether there was a file to remove. */
export async function removeFile(path: string): Promise<boolean> {
  try {
    await unlink(path);
    return true;
  } catch (error) {
    if (fsErrorCode(error) === "ENOENT") return false;
    throw error;
  }
}

/** Answers whether the folder is gone: false where it still holds something. */
export async function removeFolderIfEmpty(path: string): Promise<boolean> {
  try {
    await rmdir(path);
    return true;
  } catch (error) {
    const code = fsErrorCode(error);
    if (code === "ENOENT") return true;
    if (code === "ENOTEMPTY" || code === "EEXIST") return false;
    throw error;
  }
}
