import { createHash } from "node:crypto";
import { existsSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** A hash of the names and contents of files and folders, which are read whole. */
export function fingerprint(inputs: readonly string[]): string {
  const hash = createHash("sha256");
  for (const file of inputs.flatMap(filesBelow).sort()) {
    const bytes = readFileSync(file);
    hash.update(`${file}\0${bytes.byteLength}\0`).update(bytes);
  }
  return hash.digest("hex");
}

function filesBelow(path: string): string[] {
  const entries = readdirIfFolder(path);
  return entries === null ? [path] : entries.flatMap((name) => filesBelow(join(path, name)));
}

function readdirIfFolder(path: string): string[] | null {
  try {
    return readdirSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOTDIR") return null;
    throw error;
  }
}

/** Whether what was made from these inputs is still what they would make; `stampFile` lies beside the outputs. */
export function isCurrent(stampFile: string, stamp: string): boolean {
  return existsSync(stampFile) && readFileSync(stampFile, "utf8") === stamp;
}

/** To be called last: a build that was interrupted must not count as done. */
export function writeStamp(stampFile: string, stamp: string): void {
  writeFileSync(stampFile, stamp);
}
