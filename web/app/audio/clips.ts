import { clipPath } from "./clip-address.js";
import type { ClipSource } from "./clip-address.js";
import { decode } from "./decode.js";
import { PeakMeter } from "./peaks.js";
import { modelSampleRate, wavOf } from "./wav.js";

/** How many waveforms are kept; the oldest goes first. */
const maxKept = 200;

export interface ClipServer {
  /** What says who asks. */
  headers: () => Record<string, string>;
  /** The clip with a URL that is good now: signed ones end after a while. */
  readAnew: (clip: ClipSource) => Promise<ClipSource>;
}

/** The sound of clips, read as whoever has signed in, and what was made of it. */
export class Clips {
  readonly readAnew: ClipServer["readAnew"];
  readonly #headers: ClipServer["headers"];
  readonly #bars = new Map<string, Promise<number[]>>();

  constructor({ headers, readAnew }: ClipServer) {
    this.#headers = headers;
    this.readAnew = readAnew;
  }

  /** An address that an audio element can play: samples without a header become a file first. */
  async playableAddress(clip: ClipSource): Promise<string> {
    if (clip.format !== "PCM16") return clipPath(clip);
    return URL.createObjectURL(wavOf(await this.#readBytes(clip), modelSampleRate));
  }

  /** The waveform of a clip that has ended, in so many bars of 0 to 1. Rejects where the browser can't decode it. */
  bars(clip: ClipSource, count: number): Promise<number[]> {
    const known = this.#bars.get(clip.id);
    if (known !== undefined) return known;
    const bars = this.#readBars(clip, count);
    this.#bars.set(clip.id, bars);
    bars.catch(() => this.#bars.delete(clip.id));
    const [oldest] = this.#bars.keys();
    if (this.#bars.size > maxKept && oldest !== undefined) this.#bars.delete(oldest);
    return bars;
  }

  async #readBars(clip: ClipSource, count: number): Promise<number[]> {
    const bytes = await this.#readBytes(clip);
    const file = clip.format === "PCM16" ? await wavOf(bytes, modelSampleRate).arrayBuffer() : bytes;
    const samples = await decode(file);
    const meter = new PeakMeter(modelSampleRate);
    meter.add(samples);
    return meter.bars(count);
  }

  async #readBytes(clip: ClipSource): Promise<ArrayBuffer> {
    let response = await this.#fetch(clip);
    if (response.status === 401 || response.status === 403)
      response = await this.#fetch(await this.readAnew(clip));
    if (!response.ok) throw new Error(`The clip answered ${response.status}.`);
    return response.arrayBuffer();
  }

  #fetch(clip: ClipSource): Promise<Response> {
    return fetch(clipPath(clip), { headers: this.#headers() });
  }
}
