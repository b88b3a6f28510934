import type { AudioFormat } from "../audio/clip-format.js";
import type { ByteSource } from "../audio/formats/byte-source.js";
import { measureReply } from "../audio/formats/reply-duration.js";
import { wavHeaderByteLength } from "../audio/formats/wav-header.js";

/** 24 kHz mono 16-bit. */
export const pcmBytesPerMs = 48;

/**
 * How long the sound of an answer is, in milliseconds; null where its bytes don't tell. A WAV file may still have the header
 * of a clip that grows. Rejects where the source does.
 */
export async function measureSound(format: AudioFormat, source: ByteSource): Promise<number | null> {
  switch (format) {
    case "WAV":
      return Math.round(Math.max(0, source.byteLength - wavHeaderByteLength) / pcmBytesPerMs);
    case "PCM16":
      return measureReply("pcm16", source);
    case "MP3":
      return measureReply("mp3", source);
    case "FLAC":
      return measureReply("flac", source);
    case "OPUS":
      return measureReply("opus", source);
    case "AAC":
      return measureReply("aac", source);
  }
}
