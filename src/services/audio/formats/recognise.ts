import type { ByteSource } from "./byte-source.js";
import { measureMp3 } from "./mp3.js";
import { openOggOpus } from "./ogg-opus.js";
import { countOpusSamples, type OpusStream } from "./opus-stream.js";
import { sniffAudio, sniffByteLength } from "./sniff.js";
import { damaged, formatError, unsupported } from "./unsupported.js";
import { measureWav, type WavEncoding } from "./wav.js";
import { openWebmOpus } from "./webm-opus.js";

/** What the model takes as it is. */
export interface DirectAudio {
  kind: "wav" | "mp3";
  durationMs: number;
  sampleRate: number;
  channels: number;
  /** Null for MP3. */
  encoding: WavEncoding | null;
}

/** What has to be converted first. `durationMs` is told by the packets, not by a header. */
export interface ConvertibleAudio {
  kind: "webm-opus" | "ogg-opus";
  durationMs: number;
  channels: 1 | 2;
  /** For convertOpusToPcm. */
  stream: OpusStream;
}

export type RecognisedAudio = DirectAudio | ConvertibleAudio;

/**
 * Tells by its bytes what audio is and how long; names and MIME types are not believed. Reads the whole file once,
 * through a small window. Throws ParleyError AUDIO_FORMAT_UNSUPPORTED for anything that can neither be sent nor
 * converted, damaged files and files without sound among them.
 */
export async function recogniseAudio(source: ByteSource): Promise<RecognisedAudio> {
  const sniffed = sniffAudio(await source.readAt(0, sniffByteLength));
  if (sniffed.kind === "unsupported") throw formatError(sniffed);
  const recognised = await measured(sniffed.container, source);
  if (recognised.durationMs <= 0)
    throw formatError(unsupported("empty", `${recognised.kind} without any sound`));
  return recognised;
}

async function measured(
  container: "wav" | "mp3" | "webm" | "ogg",
  source: ByteSource,
): Promise<RecognisedAudio> {
  switch (container) {
    case "wav":
      return await recogniseWav(source);
    case "mp3":
      return await recogniseMp3(source);
    case "webm":
      return await convertible("webm-opus", await openWebmOpus(source));
    case "ogg":
      return await convertible("ogg-opus", await openOggOpus(source));
  }
}

async function recogniseWav(source: ByteSource): Promise<DirectAudio> {
  const result = await measureWav(source);
  if ("problem" in result) throw formatError(unsupported("codec", `a WAV file ${result.problem}`));
  const { durationMs, sampleRate, channels, encoding } = result.wav;
  return { kind: "wav", durationMs, sampleRate, channels, encoding };
}

async function recogniseMp3(source: ByteSource): Promise<DirectAudio> {
  const mp3 = await measureMp3(source);
  if (mp3 === null) throw damaged("like MP3 at its start, but holds no MP3 frames");
  return { kind: "mp3", ...mp3, encoding: null };
}

async function convertible(kind: ConvertibleAudio["kind"], stream: OpusStream): Promise<ConvertibleAudio> {
  const durationMs = Math.round((await countOpusSamples(stream)) / 48);
  return { kind, durationMs, channels: stream.head.channels, stream };
}
