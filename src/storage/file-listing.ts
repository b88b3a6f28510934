import { readdir, stat } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { removeFile } from "./durable-fs.js";
import { codeOfError } from "../code-of-error.js";
import { StorageError, nullWhereAbsent } from "./storage-error.js";

/** Closes the file where it can't be measured. */
export async function sizeOf(file: FileHandle): Promise<number> {
  try {
    return (await file.stat()).size;
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** None where there is no such folder, or where it is a file. */
export async function namesIn(folder: string): Promise<string[]> {
  try {
    return (await nullWhereAbsent("list a folder", () => readdir(folder))) ?? [];
  } catch (error) {
    if (error instanceof StorageError && codeOfError(error.cause) === "ENOTDIR") return [];
    throw error;
  }
}

/** False where it has gone. */
export async function isOlder(path: string, olderThanMs: number): Promise<boolean> {
  const modifiedAtMs = await nullWhereAbsent("look at a file", async () => (await stat(path)).mtimeMs);
  return modifiedAtMs !== null && Date.now() - modifiedAtMs >= olderThanMs;
}

export async function removeIfOlder(path: string, olderThanMs: number): Promise<boolean> {
  return (await isOlder(path, olderThanMs)) && (await removeFile(path));
}
