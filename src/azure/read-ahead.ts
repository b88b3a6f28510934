import type { ReadableStream, ReadableStreamDefaultReader } from "node:stream/web";

/** Some seconds of sound: who takes slower holds up the connection, not memory. */
const maxAheadByteLength = 256 * 1024;

const nobody = (): void => undefined;

/**
 * Reads a body before somebody takes it. fetch throws away what it has received and not handed over when its connection
 * breaks; what came before that was paid for, and is worth keeping.
 */
export class ReadAhead {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #pieces: Uint8Array[] = [];
  #byteLength = 0;
  #ended = false;
  #broken: { by: unknown } | null = null;
  #cancelled = false;
  #onArrival = nobody;
  #onTaking = nobody;

  constructor(body: ReadableStream<Uint8Array>) {
    this.#reader = body.getReader();
    void this.#read();
  }

  /** Whether `next` has to wait. */
  get isEmpty(): boolean {
    return this.#pieces.length === 0 && !this.#ended;
  }

  /** The next piece, null at the end. Rejects with what broke the reading when all that came before it is taken. */
  async next(): Promise<Uint8Array | null> {
    while (this.isEmpty) await new Promise<void>((resolve) => (this.#onArrival = resolve));
    const piece = this.#pieces.shift();
    if (piece === undefined) {
      if (this.#broken !== null) throw this.#broken.by;
      return null;
    }
    this.#byteLength -= piece.byteLength;
    this.#onTaking();
    return piece;
  }

  /** Closes the connection where the body was not read to its end; there is no one to tell if that fails. */
  cancel(): void {
    this.#cancelled = true;
    this.#onTaking();
    void this.#reader.cancel().catch(nobody);
  }

  async #read(): Promise<void> {
    try {
      for (;;) {
        const { value } = await this.#reader.read();
        if (value === undefined) return;
        this.#pieces.push(value);
        this.#byteLength += value.byteLength;
        this.#onArrival();
        await this.#untilRoom();
      }
    } catch (error) {
      this.#broken = { by: error };
    } finally {
      this.#ended = true;
      this.#onArrival();
    }
  }

  async #untilRoom(): Promise<void> {
    while (this.#byteLength >= maxAheadByteLength && !this.#cancelled)
      await new Promise<void>((resolve) => (this.#onTaking = resolve));
  }
}
