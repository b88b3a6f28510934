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
  OggOutputFormat,
  Output,
  Quality,
  type AudioSource,
  type OutputFormat,
} from "mediabunny";
import OpusScript from "opusscript";
import type { EncodedFormat } from "./jobs.js";

const sampleRate = 24_000;
const channels = 1;

registerAacEncoder();
registerFlacEncoder();
registerMp3Encoder();

/** Makes a file of 24 kHz mono sound. */
export function encode(pcm: Int16Array, format: EncodedFormat): Promise<Uint8Array> {
  switch (format) {
    case "mp3":
      return encodeSamples(
        pcm,
        new Mp3OutputFormat(),
        new AudioSampleSource({ codec: "mp3", quality: new Quality("medium") }),
      );
    case "flac":
      return encodeSamples(pcm, new FlacOutputFormat(), new AudioSampleSource({ codec: "flac" }));
    case "aac":
      return encodeSamples(
        pcm,
        new AdtsOutputFormat(),
        new AudioSampleSource({ codec: "aac", quality: new Quality("medium") }),
      );
    case "opus":
      return encodeOpus(pcm);
  }
}

async function encodeSamples(
  pcm: Int16Array,
  format: OutputFormat,
  source: AudioSampleSource,
): Promise<Uint8Array> {
  return write(format, source, async () => {
    const sample = new AudioSample({
      data: pcm,
      format: "s16",
      numberOfChannels: channels,
      sampleRate,
      timestamp: 0,
    });
    await source.add(sample);
    sample.close();
  });
}

async function write(
  format: OutputFormat,
  source: AudioSource,
  addSound: () => Promise<void>,
): Promise<Uint8Array> {
  const target = new BufferTarget();
  const output = new Output({ format, target });
  output.addAudioTrack(source);
  await output.start();
  await addSound();
  await output.finalize();
  if (target.buffer === null) throw new Error("The encoder made no file.");
  return new Uint8Array(target.buffer);
}

const frameSamples = 480;
const frameSeconds = frameSamples / sampleRate;
/** The encoder's delay at 48 kHz, which a player drops from the start. */
const preSkip = 312;

function encodeOpus(pcm: Int16Array): Promise<Uint8Array> {
  const source = new EncodedAudioPacketSource("opus");
  return write(new OggOutputFormat(), source, async () => {
    const encoder = new OpusScript(sampleRate, channels, OpusScript.Application.VOIP);
    const decoderConfig = {
      codec: "opus",
      sampleRate: 48_000,
      numberOfChannels: channels,
      description: opusHead(),
    };
    // The last frame is filled up with silence, one more pays back the delay.
    const frames = Math.ceil(pcm.length / frameSamples) + 1;
    for (let index = 0; index < frames; index += 1) {
      const frame = new Int16Array(frameSamples);
      frame.set(pcm.subarray(index * frameSamples, (index + 1) * frameSamples));
      const packet = encoder.encode(Buffer.from(frame.buffer), frameSamples);
      const encoded = new EncodedPacket(Uint8Array.from(packet), "key", index * frameSeconds, frameSeconds);
      await source.add(encoded, { decoderConfig });
    }
    encoder.delete();
  });
}

/** RFC 7845, section 5.1. */
function opusHead(): Uint8Array {
  const head = Buffer.alloc(19);
  head.write("OpusHead", 0, "latin1");
  head.writeUInt8(1, 8);
  head.writeUInt8(channels, 9);
  head.writeUInt16LE(preSkip, 10);
  head.writeUInt32LE(sampleRate, 12);
  return Uint8Array.from(head);
}
