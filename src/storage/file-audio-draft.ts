import { createHash, type Hash } from "node:crypto";
import type { FileHandle } from "node:fs/promises";
import { join } from "node:path";

import { parseAudioKey } from "./audio-key.js";
import type { AudioDraft, StoredAudio } from "./audio-store.js";
import { publishFile, removeFile, type GiveName } from "./durable-fs.js";
import { hashFile, readFully, writeFully } from "./file-reading.js";
import { StorageError, toStorageError } from "./storage-error.js";

export interface DraftFile {
  directory: string;
  path: string;
  file: FileHandle;
  giveName: GiveName;
  byteLength: number;
}

/** A temporary file that a commit moves to its final name. */
export class FileAudioDraft implements AudioDraft {
  readonly #directory: string;
  readonly #path: string;
  readonly #file: FileHandle;
  readonly #giveName: GiveName;
  /** Null where bytes were not hashed as they came: then the file is read again. */
  #hash: Hash | null;
  #byteLength: number;
  #ended = false;

  /** `byteLength`: what the file holds already. */
  constructor({ directory, path, file, giveName, byteLength }: DraftFile) {
    this.#directory = directory;
    this.#path = path;
    this.#file = file;
    this.#giveName = giveName;
    this.#byteLength = byteLength;
    this.#hash = byteLength === 0 ? createHash("sha256") : null;
  }

  get byteLength(): number {
    return this.#byteLength;
  }

  async append(bytes: Uint8Array): Promise<void> {
    this.#requireOpen();
    // Place and hash are settled before the first await, so that appends that overlap still keep their order.
    const offset = this.#byteLength;
    this.#byteLength += bytes.byteLength;
    this.#hash?.update(bytes);
    await this.#translated("append to a draft", () => writeFully(this.#file, bytes, offset));
  }

  async readAt(offset: number, length: number): Promise<Uint8Array> {
    this.#requireOpen();
    // Bounded by what there is: a caller's wrong length must not become an allocation.
    const available = Math.min(length, this.#byteLength - offset);
    if (offset < 0 || available <= 0) return new Uint8Array(0);
    return await this.#translated("read a draft", () => readFully(this.#file, offset, available));
  }

  async truncate(byteLength: number): Promise<void> {
    this.#requireOpen();
    if (byteLength >= this.#byteLength) return;
    this.#byteLength = byteLength;
    this.#hash = null;
    await this.#translated("shorten a draft", () => this.#file.truncate(byteLength));
  }

  async commit(key: string, head?: Uint8Array): Promise<StoredAudio> {
    this.#requireOpen();
    const { folder, name } = parseAudioKey(key);
    if (head !== undefined && head.byteLength > this.#byteLength) {
      throw new StorageError("failed", `The head of ${key} is longer than the draft.`);
    }
    this.#ended = true;
    try {
      const sha256 = await this.#seal(head);
      await publishFile(this.#path, join(this.#directory, folder, name), this.#giveName);
      return { byteLength: this.#byteLength, sha256 };
    } catch (error) {
      await this.#remove().catch(() => undefined);
      throw toStorageError(`store ${key}`, error);
    }
  }

  async discard(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    await this.#translated("discard a draft", () => this.#remove());
  }

  async leave(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    await this.#translated("leave a draft", () => this.#file.close());
  }

  async #seal(head: Uint8Array | undefined): Promise<string> {
    if (head !== undefined) await writeFully(this.#file, head, 0);
    const hashed = head === undefined ? this.#hash?.digest("hex") : undefined;
    const hashing = hashed ?? hashFile(this.#file, this.#byteLength);
    const [sha256] = await Promise.all([hashing, this.#file.sync()]);
    await this.#file.close();
    return sha256;
  }

  async #remove(): Promise<void> {
    // Closing twice does nothing in node:fs.
    await this.#file.close().catch(() => undefined);
    await removeFile(this.#path);
  }

  #requireOpen(): void {
    if (this.#ended) throw new StorageError("failed", "The draft has been committed or discarded.");
  }

  async #translated<T>(action: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw toStorageError(action, error);
    }
  }
}
