import { randomUUID } from "node:crypto";
import { copyFile, mkdir, open, stat } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Readable } from "node:stream";

import { codeOfError } from "../code-of-error.js";
import { draftNameOf, draftsFolder, isAudioKey, keyOfDraft, parseAudioKey } from "./audio-key.js";
import type { AudioDraft, AudioStore, ByteSpan, StoredAudio } from "./audio-store.js";
import { nameByLink, removeFile, removeFolderIfEmpty, syncDirectory, type GiveName } from "./durable-fs.js";
import { FileAudioDraft } from "./file-audio-draft.js";
import { isOlder, namesIn, removeIfOlder, sizeOf } from "./file-listing.js";
import { hashFile, streamFile } from "./file-reading.js";
import { nullWhereAbsent, StorageError, translated } from "./storage-error.js";
import { claimMark } from "./store-mark.js";

/** No folder of a key can have this name: it begins with a dot. */
const tagName = ".store";

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

  async create(key?: string): Promise<AudioDraft> {
    const path = key === undefined ? this.#newDraftPath() : this.#draftPathOf(key);
    return await translated("start a draft", async () => this.#draft(path, await this.#openNew(path), 0));
  }

  async copyDraft(key: string): Promise<AudioDraft | null> {
    const path = this.#newDraftPath();
    return await nullWhereAbsent(`copy the draft of ${key}`, async () => {
      try {
        await copyFile(this.#draftPathOf(key), path);
        const file = await open(path, "r+");
        return this.#draft(path, file, await sizeOf(file));
      } catch (error) {
        // A full disk leaves a part of the copy.
        await removeFile(path).catch(() => false);
        throw error;
      }
    });
  }

  async deleteDraft(key: string): Promise<void> {
    await translated(`delete the draft of ${key}`, () => removeFile(this.#draftPathOf(key)));
  }

  async readDraft(key: string, span: ByteSpan): Promise<Readable | null> {
    return await this.#readFile(this.#draftPathOf(key), span, `read the draft of ${key}`);
  }

  /** The folder is made when the first draft needs it. */
  async #openNew(path: string): Promise<FileHandle> {
    try {
      return await open(path, "wx+", 0o640);
    } catch (error) {
      if (codeOfError(error) !== "ENOENT") throw error;
      await mkdir(this.#drafts, { recursive: true });
      return await open(path, "wx+", 0o640);
    }
  }

  async read(key: string, span?: ByteSpan): Promise<Readable | null> {
    return await this.#readFile(this.#pathOf(key), span, `read ${key}`);
  }

  async size(key: string): Promise<number | null> {
    const path = this.#pathOf(key);
    return await nullWhereAbsent(`measure ${key}`, async () => (await stat(path)).size);
  }

  async measure(key: string): Promise<StoredAudio | null> {
    const path = this.#pathOf(key);
    return await nullWhereAbsent(`measure ${key}`, async () => {
      const file = await open(path, "r");
      try {
        const byteLength = await sizeOf(file);
        return { byteLength, sha256: await hashFile(file, byteLength) };
      } finally {
        await file.close();
      }
    });
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
      let swept = 0;
      for (const name of await namesIn(this.#drafts)) {
        if (keyOfDraft(name) !== null) continue;
        if (await removeIfOlder(join(this.#drafts, name), olderThanMs)) swept += 1;
      }
      return swept;
    });
  }

  async draftKeys(olderThanMs: number): Promise<string[]> {
    const keys: string[] = [];
    for (const name of await namesIn(this.#drafts)) {
      const key = keyOfDraft(name);
      if (key !== null && (await isOlder(join(this.#drafts, name), olderThanMs))) keys.push(key);
    }
    return keys;
  }

  async claim(tag: string): Promise<string> {
    // Not named as a draft: it holds no sound.
    const temporaryPath = join(this.#drafts, `${tagName}-${randomUUID()}`);
    const mark = { path: join(this.#directory, tagName), temporaryPath, tag };
    return await translated("mark the store", async () => {
      await mkdir(this.#drafts, { recursive: true });
      return await claimMark(mark, this.#giveName);
    });
  }

  async *keys(olderThanMs: number): AsyncIterable<string[]> {
    for (const folder of await namesIn(this.#directory)) {
      if (folder === draftsFolder) continue;
      const keys: string[] = [];
      for (const name of await namesIn(join(this.#directory, folder))) {
        const old = await isOlder(join(this.#directory, folder, name), olderThanMs);
        if (old && isAudioKey(`${folder}/${name}`)) keys.push(`${folder}/${name}`);
      }
      if (keys.length > 0) yield keys;
    }
  }

  async keysIn(folder: string): Promise<string[]> {
    const stored = (await namesIn(join(this.#directory, requireFolder(folder)))).map(
      (name) => `${folder}/${name}`,
    );
    const drafts = (await namesIn(this.#drafts)).map(keyOfDraft).filter((key) => key !== null);
    return [...new Set([...stored.filter(isAudioKey), ...drafts.filter((key) => isIn(folder, key))])];
  }

  async check(): Promise<void> {
    const draft = await this.create();
    try {
      await draft.append(new Uint8Array(1));
    } finally {
      await draft.discard();
    }
  }

  async #readFile(path: string, span: ByteSpan | undefined, action: string): Promise<Readable | null> {
    requireSpan(span);
    return await nullWhereAbsent(action, async () => {
      const file = await open(path, "r");
      const size = await sizeOf(file);
      const end = span === undefined ? size : Math.min(span.end + 1, size);
      return streamFile(file, span?.start ?? 0, end, action);
    });
  }

  #draft(path: string, file: FileHandle, byteLength: number): FileAudioDraft {
    const [directory, giveName] = [this.#directory, this.#giveName];
    return new FileAudioDraft({ directory, path, file, giveName, byteLength });
  }

  #newDraftPath(): string {
    return join(this.#drafts, `${randomUUID()}.part`);
  }

  #draftPathOf(key: string): string {
    return join(this.#drafts, draftNameOf(key));
  }

  #pathOf(key: string): string {
    const { folder, name } = parseAudioKey(key);
    return join(this.#directory, folder, name);
  }
}

/** @throws StorageError for a name that no key's folder can have */
function requireFolder(folder: string): string {
  return parseAudioKey(`${folder}/any`).folder;
}

function isIn(folder: string, key: string): boolean {
  return parseAudioKey(key).folder === folder;
}

function requireSpan(span: ByteSpan | undefined): void {
  if (span === undefined) return;
  const { start, end } = span;
  if (!Number.isSafeInteger(start) || !Number.isSafeInteger(end) || start < 0 || end < start) {
    throw new StorageError("failed", `Not a span of bytes: ${start} to ${end}.`);
  }
}

// Another deletion may have taken the folder since.
async function syncIfPresent(folder: string): Promise<void> {
  try {
    await syncDirectory(folder);
  } catch (error) {
    if (codeOfError(error) !== "ENOENT") throw error;
  }
}
