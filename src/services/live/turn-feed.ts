import { isActive } from "../turns/status.js";
import { Waiters } from "./waiters.js";
import type { ReadAnswer } from "./read-answer.js";

/** What an answer has just grown by, as it was written to the log. */
export interface Grown {
  turnId: string;
  attempt: number;
  messageId: string;
  sequence: number;
  text: string | null;
  transcript: string | null;
  audioByteLength: number;
  clip: ReadAnswer["clip"];
}

/** Reads on from what is known; null where the turn is gone. */
type ReadOn = (known: ReadAnswer | null) => Promise<ReadAnswer | null>;

/**
 * One turn as this server knows it, shared by all who listen to it here. Who listens keeps only a position in it, so
 * that one who is slow costs nothing.
 */
export class TurnFeed {
  readonly #read: ReadOn;
  readonly #waiters = new Waiters();
  #answer: ReadAnswer | null = null;
  #reading: Promise<void> | null = null;
  #stale = true;
  listeners = 0;

  constructor(read: ReadOn) {
    this.#read = read;
  }

  /** Null where the turn is gone. */
  get answer(): ReadAnswer | null {
    return this.#answer;
  }

  /** Resolves once everything is known that was written before the call. Rejects where it can't be read. */
  async refresh(): Promise<void> {
    this.#stale = true;
    // Who reads now reads once more, because what it has read may be older than the call.
    this.#reading ??= this.#readOn();
    await this.#reading;
  }

  /** Takes what was just written here, without reading it back; where something before it is missing, it is read. */
  grew(grown: Grown): void {
    const known = this.#answer;
    const follows =
      known !== null &&
      isActive(known.status) &&
      known.attempt === grown.attempt &&
      this.#reading === null &&
      (known.messageId === grown.messageId || (known.messageId === null && grown.sequence === 1)) &&
      known.sequence + 1 === grown.sequence;
    if (!follows) {
      this.refresh().catch(() => undefined);
      return;
    }
    this.#answer = {
      ...known,
      status: "RUNNING",
      messageId: grown.messageId,
      sequence: grown.sequence,
      text: known.text + (grown.text ?? ""),
      transcript: known.transcript + (grown.transcript ?? ""),
      audioByteLength: grown.audioByteLength,
      clip: grown.clip,
    };
    this.#waiters.wake();
  }

  /** Resolves at the next change, or when the signal is aborted. */
  changed(signal: AbortSignal): Promise<void> {
    return this.#waiters.wait(signal);
  }

  async #readOn(): Promise<void> {
    try {
      while (this.#stale) {
        this.#stale = false;
        this.#answer = await this.#read(this.#answer);
      }
    } finally {
      this.#reading = null;
      this.#waiters.wake();
    }
  }
}
