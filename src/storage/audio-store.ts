import type { Readable } from "node:stream";

/** The bytes `start` to `end`, both inclusive, counted from 0. */
export interface ByteSpan {
  start: number;
  end: number;
}

export interface StoredAudio {
  byteLength: number;
  /** Lower-case hex of all bytes. */
  sha256: string;
}

/**
 * Where audio bytes live. Keys are `folder/name` of letters, digits, `_`, `-` and `.`; anything else throws. The
 * store knows nothing of conversations, formats or owners.
 */
export interface AudioStore {
  /**
   * Starts a new piece of audio that `read` can't see. With the key that it will be committed to, it can be read while
   * it grows and found again after a crash; at most one draft of a key.
   */
  create(key?: string): Promise<AudioDraft>;
  /** A copy of the draft of a key that a process left behind, as far as it has grown; null where there is none. */
  copyDraft(key: string): Promise<AudioDraft | null>;
  /** Removes the draft of a key that a process left behind. Does nothing where there is none. */
  deleteDraft(key: string): Promise<void>;
  /** A part of a draft that was created with this key, as far as it has grown; null where there is none. */
  readDraft(key: string, span: ByteSpan): Promise<Readable | null>;
  /** The bytes, or a part of them; null where nothing is stored under the key. */
  read(key: string, span?: ByteSpan): Promise<Readable | null>;
  /** The number of bytes stored under the key, or null. */
  size(key: string): Promise<number | null>;
  /** What is stored under the key, read to its end; null where there is nothing. */
  measure(key: string): Promise<StoredAudio | null>;
  /** Removes the bytes. Does nothing where there are none. */
  delete(key: string): Promise<void>;
  /**
   * Removes drafts without a key that a process left behind when it died: those untouched for `olderThanMs`. Answers how
   * many.
   */
  sweepDrafts(olderThanMs: number): Promise<number>;
  /** The keys of drafts that nobody has touched for `olderThanMs`, in any order; they may be needed all the same. */
  draftKeys(olderThanMs: number): Promise<string[]>;
  /**
   * The mark that the first owner left in the store, `tag` itself where there was none: whose bytes these are. Who reads
   * another one must not take what it does not know for left over.
   */
  claim(tag: string): Promise<string>;
  /** The keys of what was stored at least `olderThanMs` ago, in any order, a folder at a time. */
  keys(olderThanMs: number): AsyncIterable<string[]>;
  /** The keys in a folder under which something is stored or a draft is kept, in any order, each once. */
  keysIn(folder: string): Promise<string[]>;
  /** Writes a little and removes it again; throws where nothing can be stored. */
  check(): Promise<void>;
}

/** Audio on its way in. Ends with exactly one of `commit`, `discard` and `leave`; the last two do nothing after any of them. */
export interface AudioDraft {
  readonly byteLength: number;
  /** Adds bytes at the end; resolves when they are handed to the disk, so that a fast source is held back. */
  append(bytes: Uint8Array): Promise<void>;
  /** Reads back what was appended: at most `length` bytes from `offset`, fewer at the end. */
  readAt(offset: number, length: number): Promise<Uint8Array>;
  /**
   * Makes the draft readable under `key`, durably: once it resolves the bytes survive a loss of power. `head`
   * replaces the first bytes (the header of a WAV file, known only when its length is). A key is written once:
   * a second commit to it throws and changes nothing.
   */
  commit(key: string, head?: Uint8Array): Promise<StoredAudio>;
  /** Drops the bytes from `byteLength` on. */
  truncate(byteLength: number): Promise<void>;
  discard(): Promise<void>;
  /** Writes nothing more and lets the draft stay, as a process that died would, for `copyDraft` or the sweep. */
  leave(): Promise<void>;
}
