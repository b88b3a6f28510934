import type { AudioFormat } from "../client/generated/operations.js";
import { PeakMeter } from "./peaks.js";
import { modelSampleRate, wavOf } from "./wav.js";

export interface ClipSource {
  id: string;
  url: string;
  format: AudioFormat;
}

/** How many waveforms are kept; the oldest goes first. */
const maxKept = 200;
const kept = new Map<string, Promise<number[]>>();

/**
 * Where a clip is read. Its URL names the server's public origin; this page asks the origin that it came from itself,
 * which is the same server.
 */
export function clipPath({ url }: ClipSource): string {
  return new URL(url).pathname;
}

/** Where a clip is downloaded. */
export function downloadPath(clip: ClipSource): string {
  return `${clipPath(clip)}?download=${clipPath(clip).split("/").at(-1) ?? ""}`;
}

/** An address that an audio element can play: samples without a header become a file first. */
export async function playableAddress(clip: ClipSource): Promise<string> {
  if (clip.format !== "PCM16") return clipPath(clip);
  return URL.createObjectURL(wavOf(await readBytes(clip), modelSampleRate));
}

/** The waveform of a clip that has ended, in so many bars of 0 to 1. Rejects where the browser can't decode it. */
export function clipBars(clip: ClipSource, count: number): Promise<number[]> {
  const known = kept.get(clip.id);
  if (known !== undefined) return known;
  const bars = readBars(clip, count);
  kept.set(clip.id, bars);
  bars.catch(() => kept.delete(clip.id));
  const [oldest] = kept.keys();
  if (kept.size > maxKept && oldest !== undefined) kept.delete(oldest);
  return bars;
}

async function readBars(clip: ClipSource, count: number): Promise<number[]> {
  const bytes = await readBytes(clip);
  const file = clip.format === "PCM16" ? await wavOf(bytes, modelSampleRate).arrayBuffer() : bytes;
  const samples = await decode(file);
  const meter = new PeakMeter(modelSampleRate);
  meter.add(samples);
  return meter.bars(count);
}

async function readBytes(clip: ClipSource): Promise<ArrayBuffer> {
  const response = await fetch(clipPath(clip));
  if (!response.ok) throw new Error(`The clip answered ${response.status}.`);
  return response.arrayBuffer();
}

/** The sound of whatever the browser can play, as one channel at the model's rate. */
export async function decode(file: ArrayBuffer): Promise<Float32Array<ArrayBuffer>> {
  const context = new OfflineAudioContext(1, 1, modelSampleRate);
  const sound = await context.decodeAudioData(file);
  if (sound.numberOfChannels === 1) return sound.getChannelData(0);
  return mixed(sound);
}

function mixed(sound: AudioBuffer): Float32Array<ArrayBuffer> {
  const channels = Array.from({ length: sound.numberOfChannels }, (_, index) => sound.getChannelData(index));
  return Float32Array.from(
    { length: sound.length },
    (_, index) => channels.reduce((sum, channel) => sum + (channel[index] ?? 0), 0) / channels.length,
  );
}
