import { Watched } from "../client/watched.js";
import { PeakMeter } from "./peaks.js";
import { modelSampleRate } from "./wav.js";

const sampleByteLength = 2;
const fullScale = 0x8000;
const firstCapacity = 10 * modelSampleRate;

/** The sound of an answer while it comes: 24 kHz mono 16-bit, put together from the pieces of AudioDelta. */
export class GrowingSound {
  #samples = new Int16Array(firstCapacity);
  #length = 0;
  readonly #peaks = new PeakMeter(modelSampleRate);
  /** Counts the pieces; watch it to hear of more sound. */
  readonly grown = new Watched(0);
  /** Whether this is all of it. */
  readonly complete = new Watched(false);

  /** In samples. */
  get length(): number {
    return this.#length;
  }

  get seconds(): number {
    return this.#length / modelSampleRate;
  }

  /** Adds a piece that begins at `byteOffset` of the sound; what is there already is left out. */
  append(byteOffset: number, bytes: Uint8Array): void {
    const heardByteLength = this.#length * sampleByteLength - byteOffset;
    if (heardByteLength < 0) throw new Error(`The sound has a gap before byte ${byteOffset}.`);
    const fresh = toSamples(bytes.subarray(heardByteLength));
    if (fresh.length === 0) return;
    this.#makeRoom(this.#length + fresh.length);
    this.#samples.set(fresh, this.#length);
    this.#length += fresh.length;
    this.#peaks.add(fresh, fullScale);
    this.grown.set(this.grown.get() + 1);
  }

  /** The samples from one on to the end, of -1 to 1. */
  from(sample: number): Float32Array<ArrayBuffer> {
    const samples = this.#samples.subarray(sample, this.#length);
    return Float32Array.from(samples, (value) => value / fullScale);
  }

  bars(count: number): number[] {
    return this.#peaks.bars(count);
  }

  #makeRoom(length: number): void {
    if (length <= this.#samples.length) return;
    const larger = new Int16Array(Math.max(length, this.#samples.length * 2));
    larger.set(this.#samples.subarray(0, this.#length));
    this.#samples = larger;
  }
}

function toSamples(bytes: Uint8Array): Int16Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Int16Array.from({ length: Math.floor(bytes.byteLength / sampleByteLength) }, (_, index) =>
    view.getInt16(index * sampleByteLength, true),
  );
}

/** The bytes of a base64 text. */
export function fromBase64(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}
