import type { ModelEvent } from "../../azure/types.js";
import type { AudioDraft, AudioStore } from "../../storage/audio-store.js";
import type { AudioFormat } from "../audio/clip-format.js";
import { growingWavHeader } from "../audio/formats/wav-header.js";
import { answerDurationOrBound } from "../history/estimate.js";
import type { AnswerLog } from "../live/answer-log.js";
import type { Received } from "./call-record.js";
import { measureSound, pcmBytesPerMs } from "./sound-length.js";
import { Words } from "./words.js";

/** What an attempt has received so far. */
export class Answer {
  readonly #words = new Words();
  /** What the words are is settled by what comes first, so that nothing that was told has to be taken back. */
  #wordsAre: "text" | "transcript" | null = null;
  #draft: AudioDraft | null = null;
  /** Made while the model thinks, so that the first sound does not wait for it. */
  #prepared: Promise<AudioDraft> | null = null;
  #failure: unknown = null;
  #soundByteLength = 0;
  readonly #store: AudioStore;
  /** Null: sound is not kept, and its transcript is the text. */
  readonly #format: AudioFormat | null;
  readonly #log: AnswerLog;

  constructor(store: AudioStore, format: AudioFormat | null, log: AnswerLog) {
    this.#store = store;
    this.#format = format;
    this.#log = log;
  }

  /** To be called when the model is about to be asked. */
  prepare(): void {
    if (this.#format === null) return;
    this.#prepared = this.#createDraft(this.#format);
    // Told by the first sound, which needs it.
    this.#prepared.catch(() => undefined);
  }

  /** To be called when nothing more comes: what was prepared for sound that never came goes. */
  async settle(): Promise<void> {
    const prepared = await this.#prepared?.catch(() => null);
    this.#prepared = null;
    await discardQuietly(prepared);
  }

  /** @throws LeaseLostError where the turn is no longer run here */
  async add(event: ModelEvent): Promise<void> {
    switch (event.type) {
      case "text":
        return this.#addWords("text", event.delta);
      case "transcript":
        return this.#addWords(this.#format === null ? "text" : "transcript", event.delta);
      case "audio":
        this.#soundByteLength += event.bytes.byteLength;
        if (this.#format !== null) await this.#append(this.#format, event.bytes);
    }
  }

  async #addWords(kind: "text" | "transcript", delta: string): Promise<void> {
    this.#wordsAre ??= kind;
    const words = this.#words.add(delta);
    if (words !== "") await this.#log.growByWords(this.#wordsAre, words);
  }

  /** Why the sound could not be kept, a full disk say; null where it could. The words are kept all the same. */
  get failure(): unknown {
    return this.#failure;
  }

  /** The answer goes on when its sound can't be kept: it is paid, and its words are worth keeping. */
  async #append(format: AudioFormat, bytes: Uint8Array): Promise<void> {
    if (this.#failure !== null) return;
    this.#wordsAre ??= "transcript";
    try {
      await this.#write(format, bytes);
    } catch (error) {
      await this.dropSound(error);
      return;
    }
    this.#log.growBySound(bytes);
  }

  async dropSound(reason: unknown): Promise<void> {
    this.#failure = reason ?? new Error("the sound could not be kept");
    await discardQuietly(this.#draft);
    this.#draft = null;
  }

  async #write(format: AudioFormat, bytes: Uint8Array): Promise<void> {
    if (this.#draft === null) {
      const draft = this.#prepared ?? this.#createDraft(format);
      this.#prepared = null;
      this.#draft = await draft;
    }
    await this.#draft.append(bytes);
  }

  async #createDraft(format: AudioFormat): Promise<AudioDraft> {
    const draft = await this.#store.create(this.#log.storageKey);
    try {
      // Takes the place of the header that is known only at the end.
      if (format === "WAV") await draft.append(growingWavHeader());
      return draft;
    } catch (error) {
      await discardQuietly(draft);
      throw error;
    }
  }

  /** The words as they are kept: a spoken answer has a transcript and no text. */
  words(): { text: string | null; transcript: string | null } {
    const words = this.#words.text === "" ? null : this.#words.text;
    return this.#wordsAre === "transcript"
      ? { text: null, transcript: words }
      : { text: words, transcript: null };
  }

  get draft(): AudioDraft | null {
    return this.#draft;
  }

  /** Where the answer grows. */
  get log(): AnswerLog {
    return this.#log;
  }

  /** How long the received sound is, in milliseconds, also where it is not kept; null where it could not be told. */
  async soundMs(): Promise<number | null> {
    if (this.#draft === null || this.#format === null)
      return Math.round(this.#soundByteLength / pcmBytesPerMs);
    return measureSound(this.#format, this.#draft);
  }

  isEmpty(): boolean {
    return this.#draft === null && this.#words.text === "";
  }

  /** What is to be paid, with the length of the sound where it could be told. */
  received(soundMs: number | null): Received {
    const audio = { durationMs: soundMs, byteLength: this.#soundByteLength };
    return { receivedText: this.#words.text, receivedAudioMs: answerDurationOrBound(audio) };
  }

  async discard(): Promise<void> {
    await this.settle();
    await discardQuietly(this.#draft);
  }

  /** Ends like `discard`, but what was received stays in its draft, for another server. */
  async leave(): Promise<void> {
    await this.settle();
    await this.#draft?.leave().catch(() => undefined);
  }
}

/** A file that can't be removed is for the sweep; it must not cost an answer that was paid. */
async function discardQuietly(draft: AudioDraft | null | undefined): Promise<void> {
  await draft?.discard().catch(() => undefined);
}
