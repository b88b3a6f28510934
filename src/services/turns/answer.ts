import type { ModelEvent } from "../../azure/types.js";
import type { AudioDraft, AudioStore } from "../../storage/audio-store.js";
import type { AudioFormat } from "../audio/clip-format.js";
import { measureReply } from "../audio/formats/reply-duration.js";
import type { ReplyFormat } from "../audio/formats/reply-duration.js";
import { growingWavHeader } from "../audio/formats/wav-header.js";

/** 24 kHz mono 16-bit. */
const pcmBytesPerMs = 48;
/** The formats that come as files, whose bytes tell how long they are. */
const fileFormats: Partial<Record<AudioFormat, ReplyFormat>> = {
  MP3: "mp3",
  FLAC: "flac",
  OPUS: "opus",
  AAC: "aac",
};

/** What an attempt has received so far. */
export class Answer {
  #text = "";
  #transcript = "";
  #draft: AudioDraft | null = null;
  #failure: unknown = null;
  #soundByteLength = 0;
  readonly #store: AudioStore;
  /** Null: sound is not kept, and its transcript is the text. */
  readonly #format: AudioFormat | null;

  constructor(store: AudioStore, format: AudioFormat | null) {
    this.#store = store;
    this.#format = format;
  }

  async add(event: ModelEvent): Promise<void> {
    switch (event.type) {
      case "text":
        this.#text += clean(event.delta);
        return;
      case "transcript":
        this.#transcript += clean(event.delta);
        return;
      case "audio":
        this.#soundByteLength += event.bytes.byteLength;
        if (this.#format !== null) await this.#append(this.#format, event.bytes);
    }
  }

  /** Why the sound could not be kept, a full disk say; null where it could. The words are kept all the same. */
  get failure(): unknown {
    return this.#failure;
  }

  /** The answer goes on when its sound can't be kept: it is paid, and its words are worth keeping. */
  async #append(format: AudioFormat, bytes: Uint8Array): Promise<void> {
    if (this.#failure !== null) return;
    try {
      await this.#write(format, bytes);
    } catch (error) {
      await this.dropSound(error);
    }
  }

  async dropSound(reason: unknown): Promise<void> {
    this.#failure = reason ?? new Error("the sound could not be kept");
    await this.#draft?.discard().catch(() => undefined);
    this.#draft = null;
  }

  async #write(format: AudioFormat, bytes: Uint8Array): Promise<void> {
    if (this.#draft === null) {
      this.#draft = await this.#store.create();
      // Takes the place of the header that is known only at the end.
      if (format === "WAV") await this.#draft.append(growingWavHeader());
    }
    await this.#draft.append(bytes);
  }

  /** The words as they are kept: a spoken answer has a transcript and no text. */
  words(): { text: string | null; transcript: string | null } {
    const spoken = this.#transcript === "" ? null : this.#transcript.toWellFormed();
    const written = this.#text === "" ? null : this.#text.toWellFormed();
    if (this.#draft !== null) return { text: null, transcript: spoken ?? written };
    // Without kept sound a transcript is all there is to read, whether the sound was dropped or never came.
    return this.#format === null
      ? { text: written ?? spoken, transcript: null }
      : { text: written, transcript: written === null ? spoken : null };
  }

  get draft(): AudioDraft | null {
    return this.#draft;
  }

  /** How long the received sound is, in milliseconds, also where it is not kept; null where it could not be told. */
  async soundMs(): Promise<number | null> {
    const fileFormat = this.#draft === null || this.#format === null ? null : fileFormats[this.#format];
    if (this.#draft === null || fileFormat == null) return Math.round(this.#soundByteLength / pcmBytesPerMs);
    return measureReply(fileFormat, this.#draft);
  }

  isEmpty(): boolean {
    return this.#draft === null && this.#text === "" && this.#transcript === "";
  }

  get letters(): string {
    return this.#text + this.#transcript;
  }

  async discard(): Promise<void> {
    await this.#draft?.discard();
  }
}

/** Postgres holds no NUL characters. */
function clean(delta: string): string {
  return delta.replaceAll("\0", "");
}
