/** Bytes that can be read at any place; an AudioDraft is one. Its length doesn't change while it is read here. */
export interface ByteSource {
  readonly byteLength: number;
  /** At most `length` bytes from `offset`, fewer only at the end. */
  readAt(offset: number, length: number): Promise<Uint8Array>;
}

const windowByteLength = 65_536;

/**
 * Reads a source mostly forwards through one window, so that walking a file in small steps costs few reads and its
 * memory stays at one window however long the file is.
 */
export class WindowReader {
  readonly byteLength: number;
  readonly #source: ByteSource;
  #window: Uint8Array = new Uint8Array(0);
  #windowOffset = 0;

  constructor(source: ByteSource) {
    this.#source = source;
    this.byteLength = source.byteLength;
  }

  /** At most `length` bytes from `offset`, fewer only at the end. The bytes hold until the next call. */
  async read(offset: number, length: number): Promise<Uint8Array> {
    const end = Math.min(offset + length, this.byteLength);
    if (end <= offset) return new Uint8Array(0);
    if (offset < this.#windowOffset || end > this.#windowOffset + this.#window.byteLength) {
      this.#window = await this.#source.readAt(offset, Math.max(windowByteLength, end - offset));
      this.#windowOffset = offset;
    }
    return this.#window.subarray(offset - this.#windowOffset, end - this.#windowOffset);
  }
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Whether the characters of `ascii` stand at `offset`. */
export function hasAscii(bytes: Uint8Array, offset: number, ascii: string): boolean {
  if (offset + ascii.length > bytes.byteLength) return false;
  for (let index = 0; index < ascii.length; index += 1) {
    if (bytes[offset + index] !== ascii.charCodeAt(index)) return false;
  }
  return true;
}
