import { readFile, rename, writeFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";

import { removeFile, type GiveName } from "./durable-fs.js";
import { codeOfError } from "../code-of-error.js";

/** A mark is empty while another process names it; one that stays empty for so long was left by a crash. */
const emptyMs = 1_000;
const lookAgainMs = 20;

export interface Mark {
  path: string;
  temporaryPath: string;
  tag: string;
}

/** The tag that the file holds; `tag` where it was the first. It is written beside it, so that nobody reads half of it. */
export async function claimMark({ path, temporaryPath, tag }: Mark, giveName: GiveName): Promise<string> {
  const start = performance.now();
  for (;;) {
    const kept = await readMark(path);
    if (kept !== null && kept !== "") return kept;
    if (kept === null) await writeMark({ path, temporaryPath, tag }, giveName);
    else if (performance.now() - start >= emptyMs) await writeMark({ path, temporaryPath, tag }, rename);
    else await delay(lookAgainMs);
  }
}

async function readMark(path: string): Promise<string | null> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (codeOfError(error) === "ENOENT") return null;
    throw error;
  }
}

/** Does nothing where another process was first. */
async function writeMark({ path, temporaryPath, tag }: Mark, giveName: GiveName): Promise<void> {
  try {
    await writeFile(temporaryPath, tag, { mode: 0o640, flush: true });
    await giveName(temporaryPath, path);
  } catch (error) {
    if (codeOfError(error) !== "EEXIST") throw error;
  } finally {
    await removeFile(temporaryPath);
  }
}
