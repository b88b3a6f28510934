import { buffer } from "node:stream/consumers";
import { setTimeout as delay } from "node:timers/promises";
import { ParleyError } from "../../errors.js";
import type { AudioStore, ByteSpan } from "../../storage/audio-store.js";
import type { PcmClip } from "./read-answer.js";

/** How many pieces are kept for those who ask for the same: all listeners of a turn want the same piece at once. */
const keptPieces = 16;

/** Whether so many bytes of a clip's file should be there. */
type IsTold = (storageKey: string, byteLength: number) => Promise<boolean>;

/** In milliseconds. */
interface Patience {
  forMs: number;
  everyMs: number;
}

/** A shared file system may show other servers some seconds late what one has written. */
const sharedPatience: Patience = { forMs: 10_000, everyMs: 100 };

/** Reads the samples of clips, growing or whole. */
export class ClipSound {
  readonly #store: Pick<AudioStore, "read" | "readDraft">;
  readonly #isTold: IsTold;
  readonly #patience: Patience;
  readonly #pieces = new Map<string, Promise<string>>();

  constructor(
    store: Pick<AudioStore, "read" | "readDraft">,
    isTold: IsTold,
    patience: Patience = sharedPatience,
  ) {
    this.#store = store;
    this.#isTold = isTold;
    this.#patience = patience;
  }

  /**
   * Samples as base64; `byteOffset` counts from the first one.
   * @throws ParleyError NOT_FOUND where they are gone
   */
  async base64(clip: PcmClip | null, byteOffset: number, byteLength: number): Promise<string> {
    if (clip === null) throw soundGone();
    const name = nameOf(clip, byteOffset, byteLength);
    const known = this.#pieces.get(name);
    if (known !== undefined) return known;
    const piece = this.#read(clip, byteOffset, byteLength);
    this.#remember(name, piece);
    return piece;
  }

  /** Keeps a piece that has just come for those who are about to ask for it. */
  keep(clip: PcmClip, byteOffset: number, bytes: Uint8Array): void {
    if (bytes.byteLength === 0) return;
    const base64 = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
    this.#remember(nameOf(clip, byteOffset, bytes.byteLength), Promise.resolve(base64));
  }

  /**
   * The bytes of a span of the clip's file, where it is whole or still grows; null where it is gone. What is told and not
   * there yet is waited for; fewer bytes where it does not come.
   */
  async read(storageKey: string, span: ByteSpan): Promise<Buffer | null> {
    const { forMs, everyMs } = this.#patience;
    const start = performance.now();
    for (;;) {
      const bytes = await this.#look(storageKey, span);
      if (bytes?.byteLength === span.end + 1 - span.start) return bytes;
      if (performance.now() - start >= forMs) return bytes;
      if (!(await this.#isTold(storageKey, span.end + 1))) return bytes;
      await delay(everyMs, undefined, { ref: false });
    }
  }

  async #look(storageKey: string, span: ByteSpan): Promise<Buffer | null> {
    // In this order: a draft becomes the file, never the other way round.
    const stream =
      (await this.#store.readDraft(storageKey, span)) ?? (await this.#store.read(storageKey, span));
    return stream === null ? null : buffer(stream);
  }

  async #read({ storageKey, headerByteLength }: PcmClip, byteOffset: number, byteLength: number) {
    const start = headerByteLength + byteOffset;
    const bytes = await this.read(storageKey, { start, end: start + byteLength - 1 });
    if (bytes?.byteLength !== byteLength) throw soundGone();
    return bytes.toString("base64");
  }

  #remember(name: string, piece: Promise<string>): void {
    this.#pieces.set(name, piece);
    piece.catch(() => this.#pieces.delete(name));
    const [oldest] = this.#pieces.keys();
    if (this.#pieces.size > keptPieces && oldest !== undefined) this.#pieces.delete(oldest);
  }
}

function nameOf({ id }: PcmClip, byteOffset: number, byteLength: number): string {
  return `${id} ${byteOffset} ${byteLength}`;
}

function soundGone(): ParleyError {
  return new ParleyError("NOT_FOUND", "This sound is gone: the turn was retried or deleted.");
}
