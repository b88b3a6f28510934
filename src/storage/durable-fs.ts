import { link, mkdir, open, rename, rmdir, unlink } from "node:fs/promises";
import { dirname } from "node:path";

import { codeOfError } from "../code-of-error.js";

// Windows and some network file systems can't sync a directory; there a name becomes durable on its own.
const directorySyncUnsupported = new Set(["EISDIR", "EPERM", "EACCES", "EINVAL", "ENOTSUP"]);

/** Makes the names in a directory survive a loss of power; the sync of a file covers only its bytes. */
export async function syncDirectory(path: string): Promise<void> {
  const handle = await openDirectory(path);
  if (handle === null) return;
  try {
    await handle.sync();
  } catch (error) {
    if (!directorySyncUnsupported.has(codeOfError(error) ?? "")) throw error;
  } finally {
    await handle.close();
  }
}

async function openDirectory(path: string) {
  try {
    return await open(path, "r");
  } catch (error) {
    if (directorySyncUnsupported.has(codeOfError(error) ?? "")) return null;
    throw error;
  }
}

// SMB shares (Azure Files), exFAT and some network file systems know no hard links.
const linkUnsupported = new Set(["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS"]);

/** Gives a file its final name, never over an existing one (EEXIST). The temporary name may stay. */
export type GiveName = (temporaryPath: string, path: string) => Promise<void>;

/** A hard link takes the name and shows the bytes at once, which a rename doesn't: it would overwrite. */
export const nameByLink: GiveName = async (temporaryPath, path) => {
  try {
    await link(temporaryPath, path);
  } catch (error) {
    if (!linkUnsupported.has(codeOfError(error) ?? "")) throw error;
    await nameByRename(temporaryPath, path);
  }
};

/** Takes the name with an empty file first; nobody asks for a key before its commit has ended. */
export const nameByRename: GiveName = async (temporaryPath, path) => {
  await (await open(path, "wx", 0o640)).close();
  try {
    await rename(temporaryPath, path);
  } catch (error) {
    await removeFile(path);
    throw error;
  }
};

/** Gives a synced file its final name, durably. Where it throws, nothing stands under the final name. */
export async function publishFile(temporaryPath: string, path: string, giveName: GiveName): Promise<void> {
  const folder = dirname(path);
  await nameInFolder(temporaryPath, path, giveName);
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

// The folder is mostly there; and the deletion of its last file may remove it between mkdir and the naming.
async function nameInFolder(temporaryPath: string, path: string, giveName: GiveName): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await giveName(temporaryPath, path);
      return;
    } catch (error) {
      if (codeOfError(error) !== "ENOENT" || attempt === 6) throw error;
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
    if (codeOfError(error) === "ENOENT") return false;
    throw error;
  }
}

/** Answers whether the folder is gone: false where it still holds something. */
export async function removeFolderIfEmpty(path: string): Promise<boolean> {
  try {
    await rmdir(path);
    return true;
  } catch (error) {
    const code = codeOfError(error);
    if (code === "ENOENT") return true;
    if (code === "ENOTEMPTY" || code === "EEXIST") return false;
    throw error;
  }
}
