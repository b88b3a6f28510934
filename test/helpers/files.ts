import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { codeOfError } from "../../src/code-of-error.js";

export interface FoundEntry {
  path: string;
  name: string;
  isFile: boolean;
}

/**
 * All files and folders below the folder, none where there is no folder. What a server removes while it is looked
 * at is not there, be it a file or a folder: Node's own recursive reading fails then.
 */
export async function entriesUnder(folder: string): Promise<FoundEntry[]> {
  const entries = (await unlessGone(readdir(folder, { withFileTypes: true }))) ?? [];
  const found = entries.map(async (entry) => {
    const path = join(folder, entry.name);
    const below = entry.isDirectory() ? await entriesUnder(path) : [];
    return [{ path, name: entry.name, isFile: entry.isFile() }, ...below];
  });
  return (await Promise.all(found)).flat();
}

/** What is read, or null where it is not, or no longer, there. */
export async function unlessGone<Value>(reading: Promise<Value>): Promise<Value | null> {
  try {
    return await reading;
  } catch (error) {
    if (codeOfError(error) === "ENOENT") return null;
    throw error;
  }
}

/** A server reads and writes the mark of its store at its start; it is no sound. */
export function isSoundFile({ isFile, name }: FoundEntry): boolean {
  return isFile && !name.startsWith(".");
}
