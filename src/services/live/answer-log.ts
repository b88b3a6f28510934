import { setTimeout as delay } from "node:timers/promises";
import type { DatabaseClient } from "../../db/database.js";
import type { Dialect } from "../../db/sql.js";
import type { TurnRow } from "../../db/rows.js";
import { newId } from "../../ids.js";
import type { Logger } from "../../logger.js";
import { clipKey } from "../audio/clip-key.js";
import type { AudioFormat } from "../audio/clip-format.js";
import { LeaseLostError } from "../turns/lease.js";
import type { Fence } from "../turns/lease.js";
import { AnswerLogRows } from "./answer-log-rows.js";
import type { LogEntry } from "./answer-log-rows.js";
import { pcmHeaderByteLength } from "./read-answer.js";
import type { TurnFeeds } from "./turn-feeds.js";

export interface AnswerLogParts {
  client: DatabaseClient;
  dialect: Dialect;
  feeds: TurnFeeds;
  logger: Logger;
}

/** Between two entries at least; four times as long as the last one took, where that is more. In milliseconds. */
const minPauseMs = 40;
/** The first words wait so long for the first sound, in milliseconds: together they are one write, which brings the sound sooner. */
const firstSoundWaitMs = 5;
/** More sound than this between two entries is read back from the file by who listens. */
const maxPendingSound = 64 * 1024;
/** Words that were not written yet hold the model's stream back beyond this many letters. */
const maxPendingLetters = 64 * 1024;

/**
 * Writes to the log what an answer grows by, in the order in which it came, while the model goes on. The first words
 * and the first sound are written at once, what follows is gathered, and the rest at the end of the call. Nobody is told
 * of anything that is not written, and of sound that comes as a file nobody is told before the turn's end.
 */
export class AnswerLog {
  readonly messageId = newId("msg");
  readonly clipId = newId("clip");
  readonly storageKey: string;
  readonly #parts: AnswerLogParts;
  readonly #turn: TurnRow;
  readonly #format: AudioFormat;
  readonly #rows: AnswerLogRows;
  /** What came since the last entry. */
  #pending = { text: "", transcript: "", audioByteLength: 0 };
  /** The sound that came since the last entry, for those who listen right now; null where it is too much. */
  #sound: Uint8Array[] | null = [];
  #soundByteLength = 0;
  /** An entry of which it is not known whether it was written: the database's answer was lost. */
  #doubtful: LogEntry | null = null;
  #sequence = 0;
  #writtenAudio = 0;
  #writing: Promise<void> | null = null;
  #pause: AbortController | null = null;
  #lost: LeaseLostError | null = null;
  #closed = false;
  #dropped = false;

  constructor(parts: AnswerLogParts, turn: TurnRow, fence: Fence, format: AudioFormat) {
    this.#parts = parts;
    this.#turn = turn;
    this.#format = format;
    this.storageKey = clipKey(turn.conversationId, this.clipId, format);
    const clip = { id: this.clipId, storageKey: this.storageKey, format };
    this.#rows = new AnswerLogRows(parts.client, parts.dialect, {
      turn,
      fence,
      messageId: this.messageId,
      clip,
    });
  }

  /** Whether rows of the answer may be there. */
  get begun(): boolean {
    return this.#sequence > 0 || this.#doubtful !== null;
  }

  /**
   * Takes words that came. Waits only where they come faster than they can be written.
   * @throws LeaseLostError where the turn is no longer run here
   */
  async growByWords(kind: "text" | "transcript", words: string): Promise<void> {
    if (this.#lost !== null) throw this.#lost;
    this.#pending[kind] += words;
    this.#writing ??= this.#writeAll(kind === "transcript");
    if (this.#pending.text.length + this.#pending.transcript.length > maxPendingLetters) await this.#writing;
  }

  /**
   * Takes sound that came and is in its file.
   * @throws LeaseLostError where the turn is no longer run here
   */
  growBySound(bytes: Uint8Array): void {
    if (this.#lost !== null) throw this.#lost;
    this.#pending.audioByteLength += bytes.byteLength;
    this.#soundByteLength += bytes.byteLength;
    if (this.#soundByteLength > maxPendingSound) this.#sound = null;
    this.#sound?.push(bytes);
    // The first sound doesn't wait behind its words.
    if (this.#writtenAudio === 0) this.#pause?.abort();
    this.#writing ??= this.#writeAll(false);
  }

  /**
   * Writes what is left without a pause, so that the turn's end, which may be late or never come, has nothing left to lose.
   * What can't be written then is not tried again. Nothing may come after it.
   */
  async close(): Promise<void> {
    this.#closed = true;
    this.#pause?.abort();
    await this.#writing;
  }

  /** Writes nothing more of an answer that is not to be kept. Resolves when nothing is being written. */
  async drop(): Promise<void> {
    this.#dropped = true;
    await this.close();
  }

  async #writeAll(soundFollows: boolean): Promise<void> {
    try {
      if (soundFollows && this.#sequence === 0) await this.#rest(firstSoundWaitMs);
      while (!this.#dropped && this.#lost === null && this.#hasPending()) {
        const startedAt = performance.now();
        await this.#writeNext();
        if (this.#closed && this.#doubtful !== null) return;
        await this.#rest(Math.max(minPauseMs, 4 * (performance.now() - startedAt)));
      }
    } finally {
      this.#writing = null;
    }
  }

  #hasPending(): boolean {
    const { text, transcript, audioByteLength } = this.#pending;
    return (
      this.#doubtful !== null || text !== "" || transcript !== "" || audioByteLength > this.#writtenAudio
    );
  }

  async #rest(ms: number): Promise<void> {
    const soundWaits = this.#writtenAudio === 0 && this.#pending.audioByteLength > 0;
    if (this.#closed || (soundWaits && this.#doubtful === null)) return;
    this.#pause = new AbortController();
    await delay(ms, undefined, { signal: this.#pause.signal }).catch(() => undefined);
    this.#pause = null;
  }

  /** What can't be written now is written later; the answer itself is kept at its end in any case. */
  async #writeNext(): Promise<void> {
    const taken = this.#takeSound();
    const entry = this.#doubtful ?? this.#takePending();
    try {
      if (this.#doubtful === null || !(await this.#rows.wasWritten(entry))) await this.#rows.write(entry);
      const sound = this.#doubtful === null ? taken : null;
      this.#doubtful = null;
      this.#tell(entry, sound);
    } catch (error) {
      if (error instanceof LeaseLostError) {
        this.#lost = error;
        return;
      }
      this.#doubtful = entry;
      this.#parts.logger.warn(
        { err: error, turnId: this.#turn.id },
        "could not write what a turn has grown by; trying again",
      );
    }
  }

  /** Null where it was too much to be kept. */
  #takeSound(): Uint8Array | null {
    const sound = this.#sound === null ? null : Buffer.concat(this.#sound);
    this.#sound = [];
    this.#soundByteLength = 0;
    return sound;
  }

  #takePending(): LogEntry {
    const { text, transcript, audioByteLength } = this.#pending;
    this.#pending = { text: "", transcript: "", audioByteLength };
    const sequence = this.#sequence + 1;
    return { sequence, text: text || null, transcript: transcript || null, audioByteLength };
  }

  #tell(entry: LogEntry, sound: Uint8Array | null): void {
    this.#sequence = entry.sequence;
    this.#writtenAudio = entry.audioByteLength;
    const headerByteLength = pcmHeaderByteLength(this.#format);
    const audioByteLength = headerByteLength === null ? 0 : entry.audioByteLength;
    const clip =
      headerByteLength === null || audioByteLength === 0
        ? null
        : { id: this.clipId, storageKey: this.storageKey, headerByteLength };
    const { id: turnId, attempt } = this.#turn;
    const grown = { ...entry, audioByteLength, turnId, attempt, messageId: this.messageId, clip };
    this.#parts.feeds.grew(grown, sound);
  }
}
