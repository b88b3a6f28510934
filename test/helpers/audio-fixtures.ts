import { registerAacEncoder } from "@mediabunny/aac-encoder";
import { registerFlacEncoder } from "@mediabunny/flac-encoder";
import { registerMp3Encoder } from "@mediabunny/mp3-encoder";
import {
  AdtsOutputFormat,
  AudioSample,
  AudioSampleSource,
  BufferTarget,
  EncodedAudioPacketSource,
  EncodedPacket,
  FlacOutputFormat,
  Mp3OutputFormat,
  Mp4OutputFormat,
  OggOutputFormat,
  Output,
  Quality,
  type OutputFormat,
  WebMOutputFormat,
} from "mediabunny";
import OpusScript from "opusscript";

import type { ByteSource } from "../../src/services/audio/formats/byte-source.js";

registerAacEncoder();
registerFlacEncoder();
registerMp3Encoder();

/** A source in memory that remembers how much was read from it. */
export class BytesSource implements ByteSource {
  readonly bytes: Uint8Array;
  readByteLength = 0;
  longestRead = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  get byteLength(): number {
    return this.bytes.byteLength;
  }

  readAt(offset: number, length: number): Promise<Uint8Array> {
    const read = this.bytes.subarray(offset, offset + length);
    this.readByteLength += read.byteLength;
    this.longestRead = Math.max(this.longestRead, read.byteLength);
    return Promise.resolve(read);
  }
}

export interface Tone {
  sampleRate: number;
  channels: 1 | 2;
  durationMs: number;
  frequencyHz: number;
  amplitude?: number;
}

/** A sine, the same on all channels, interleaved. */
export function tone({ sampleRate, channels, durationMs, frequencyHz, amplitude = 0.5 }: Tone): Float32Array {
  const frames = Math.round((sampleRate * durationMs) / 1000);
  return Float32Array.from(
    { length: frames * channels },
    (_, index) =>
      amplitude * Math.sin((2 * Math.PI * frequencyHz * Math.floor(index / channels)) / sampleRate),
  );
}

export function toPcm16(samples: Float32Array): Buffer {
  return Buffer.from(Int16Array.from(samples, (sample) => Math.round(sample * 32_767)).buffer);
}

async function finished(output: Output): Promise<Uint8Array> {
  await output.finalize();
  const target = output.target;
  if (!(target instanceof BufferTarget) || target.buffer === null)
    throw new Error("The output has no bytes.");
  return new Uint8Array(target.buffer);
}

const encoded = {
  mp3: { codec: "mp3", format: () => new Mp3OutputFormat() },
  flac: { codec: "flac", format: () => new FlacOutputFormat() },
  aac: { codec: "aac", format: () => new AdtsOutputFormat() },
  mp4: { codec: "aac", format: () => new Mp4OutputFormat() },
} as const;

/** A tone in one of the formats of the installed encoders. */
export async function encodeTone(format: keyof typeof encoded, of: Tone): Promise<Uint8Array> {
  const { codec, format: makeFormat } = encoded[format];
  const output = new Output({ format: makeFormat(), target: new BufferTarget() });
  const source = new AudioSampleSource({ codec, quality: new Quality("medium") });
  output.addAudioTrack(source);
  await output.start();
  const sample = new AudioSample({
    data: tone(of),
    format: "f32",
    numberOfChannels: of.channels,
    sampleRate: of.sampleRate,
    timestamp: 0,
  });
  await source.add(sample);
  sample.close();
  return await finished(output);
}

export function opusHead(channels: number, preSkipSamples: number, gain = 0): Uint8Array {
  const head = Buffer.alloc(19);
  head.write("OpusHead", 0, "latin1");
  head.writeUInt8(1, 8);
  head.writeUInt8(channels, 9);
  head.writeUInt16LE(preSkipSamples, 10);
  head.writeUInt32LE(48_000, 12);
  head.writeInt16LE(gain, 16);
  return new Uint8Array(head);
}

/** 20 ms packets of a tone at 48 kHz. */
export function opusPackets(of: Omit<Tone, "sampleRate">): Uint8Array[] {
  const encoder = new OpusScript(48_000, of.channels, OpusScript.Application.AUDIO);
  encoder.setBitrate(96_000);
  const pcm = toPcm16(tone({ ...of, sampleRate: 48_000 }));
  const frameByteLength = 960 * 2 * of.channels;
  const packets: Uint8Array[] = [];
  for (let offset = 0; offset + frameByteLength <= pcm.byteLength; offset += frameByteLength) {
    packets.push(new Uint8Array(encoder.encode(pcm.subarray(offset, offset + frameByteLength), 960)));
  }
  encoder.delete();
  return packets;
}

/** Packets in a container, as mediabunny writes it. `live`: appended only, sizes unknown, as MediaRecorder does. */
export async function opusFile(
  container: "webm" | "webm-live" | "ogg",
  packets: Uint8Array[],
  head: Uint8Array = opusHead(1, 312),
): Promise<Uint8Array> {
  const formats: Record<typeof container, () => OutputFormat> = {
    webm: () => new WebMOutputFormat(),
    "webm-live": () => new WebMOutputFormat({ appendOnly: true }),
    ogg: () => new OggOutputFormat(),
  };
  const output = new Output({ format: formats[container](), target: new BufferTarget() });
  const source = new EncodedAudioPacketSource("opus");
  output.addAudioTrack(source);
  await output.start();
  const decoderConfig = {
    codec: "opus",
    numberOfChannels: head[9] ?? 1,
    sampleRate: 48_000,
    description: head,
  };
  for (const [index, packet] of packets.entries()) {
    await source.add(new EncodedPacket(packet, "key", index * 0.02, 0.02), { decoderConfig });
  }
  return await finished(output);
}

/** How loud one frequency is, as amplitude (Goertzel, over the whole of the samples). */
export function amplitudeAt(samples: ArrayLike<number>, frequencyHz: number, sampleRate: number): number {
  let real = 0;
  let imaginary = 0;
  let weight = 0;
  for (let index = 0; index < samples.length; index += 1) {
    // A Blackman window keeps the edges from looking like other frequencies.
    const at = (2 * Math.PI * index) / (samples.length - 1);
    const window = 0.42 - 0.5 * Math.cos(at) + 0.08 * Math.cos(2 * at);
    const angle = (2 * Math.PI * frequencyHz * index) / sampleRate;
    real += (samples[index] ?? 0) * window * Math.cos(angle);
    imaginary += (samples[index] ?? 0) * window * Math.sin(angle);
    weight += window;
  }
  return (2 * Math.hypot(real, imaginary)) / weight;
}

export function decibels(ratio: number): number {
  return 20 * Math.log10(ratio);
}
