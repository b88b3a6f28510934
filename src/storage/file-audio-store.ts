import { randomUUID } from "node:crypto";
import { mkdir, open, readdir, stat } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Readable } from "node:stream";

import { draftsFolder, parseAudioKey } from "./audio-key.js";
import type { AudioDraft, AudioStore, ByteSpan } from "./audio-store.js";
import { nameByLink, removeFile, removeFolderIfEmpty, syncDirectory, type GiveName } from "./durable-fs.js";
import { FileAudioDraft } from "./file-audio-draft.js";
import { streamFile } from "./file-reading.js";
import { fsErrorCode, StorageError, toStorageError } from "./storage-error.js";

/**
 * Audio as files: `<directory>/<folder>/<name>`, drafts under `<directory>/drafts`. Several processes may share the
 * directory.
 */
export class FileAudioStore implements AudioStore {
  readonly #directory: string;
  readonly #drafts: string;
  readonly #giveName: GiveName;

  /**
   * The directory is made when the first draft needs it. A file gets its final name by hard link, or by `giveName`;
   * where the file system has no hard links, by rename.
   */
  constructor(directory: string, giveName: GiveName = nameByLink) {
    this.#giveName = giveName;
    this.#directory = directory;
    this.#drafts = join(directory, draftsFolder);
  }

  async create(): Promise<AudioDraft> {
    const path = join(this.#drafts, `${randomUUID()}.part`);
    return await translated("start a draft", async () => {
      return new FileAudioDraft(this.#directory, path, await this.#openNew(path), this.#giveName);
    });
  }

  /** The folder is made when the first draft needs it. */
  async #openNew(path: string): Promise<FileHandle> {
    try {
      return await open(path, "wx+", 0o640);
    } catch (error) {
      if (fsErrorCode(error) !== "ENOENT") throw error;
      await mkdir(this.#drafts, { recursive: true });
      return await open(path, "wx+", 0o640);
    }
  }

  async read(key: string, span?: ByteSpan): Promise<Readable | null> {
    const path = this.#pathOf(key);
    requireSpan(span);
    return await nullWhereAbsent(`read ${key}`, async () => {
      const file = await open(path, "r");
      const { size } = await file.stat().catch(async (error: unknown) => {
        await file.close();
        throw error;
      });
      const end = span === undefined ? size : Math.min(span.end + 1, size);
      return streamFile(file, span?.start ?? 0, end, `read ${key}`);
    });
  }

  async size(key: string): Promise<number | null> {
    const path = this.#pathOf(key);
    return await nullWhereAbsent(`measure ${key}`, async () => (await stat(path)).size);
  }

  async delete(key: string): Promise<void> {
    const path = this.#pathOf(key);
    await translated(`delete ${key}`, async () => {
      if (!(await removeFile(path))) return;
      const folder = dirname(path);
      const folderGone = await removeFolderIfEmpty(folder);
      await syncIfPresent(folderGone ? this.#directory : folder);
    });
  }

  async sweepDrafts(olderThanMs: number): Promise<number> {
    return await translated("sweep drafts", async () => {
      const names = await namesIn(this.#drafts);
      let swept = 0;
      for (const name of names) {
        if (await removeIfOlder(join(this.#drafts, name), olderThanMs)) swept += 1;
      }
      return swept;
    });
  }

  #pathOf(key: string): string {
    const { folder, name } = parseAudioKey(key);
    return join(this.#directory, folder, name);
  }
}

function requireSpan(span: ByteSpan | undefined): void {
  if (span === undefined) return;
  const { start, end } = span;
  if (!Number.isSafeInteger(start) || !Number.isSafeInteger(end) || start < 0 || end < start) {
    throw new StorageError("failed", `Not a span of bytes: ${start} to ${end}.`);
  }
}

async function namesIn(folder: string): Promise<string[]> {
  return (await nullWhereAbsent("list drafts", () => readdir(folder))) ?? [];
}

async function removeIfOlder(path: string, olderThanMs: number): Promise<boolean> {
  const modifiedAtMs = await nullWhereAbsent("look at a draft", async () => (await stat(path)).mtimeMs);
  if (modifiedAtMs === null || Date.now() - modifiedAtMs < olderThanMs) return false;
  return await removeFile(path);
}

// Another deletion may have taken the folder since.
async function syncIfPresent(folder: string): Promise<void> {
  try {
    await syncDirectory(folder);
  } catch (error) {
    if (fsErrorCode(error) !== "ENOENT") throw error;
  }
}

async function nullWhereAbsent<T>(action: string, work: () => Promise<T>): Promise<T | null> {
  try {
    return await work();
  } catch (error) {
    if (fsErrorCode(error) === "ENOENT") return null;
    throw toStorageError(action, error);
  }
}

async function translated<T>(action: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw toStorageError(action, error);
  }
}
