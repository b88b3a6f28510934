import { measureAdts } from "./adts.js";
import type { ByteSource } from "./byte-source.js";
import { measureFlac } from "./flac.js";
import { measureMp3 } from "./mp3.js";
import { openOggOpus } from "./ogg-opus.js";
import { countOpusSamples } from "./opus-stream.js";
import { measureWav } from "./wav.js";

export type ReplyFormat = "wav" | "mp3" | "flac" | "opus" | "pcm16" | "aac";

const pcm16BytesPerMs = 48;
/** A header can claim more than a call can bring, and more than a column or a GraphQL Int holds. */
const longestReplyMs = 24 * 60 * 60 * 1000;

/**
 * How long a clip of the model is, in milliseconds; null where its bytes are not what was asked for, because a reply
 * is kept also when it is odd. Rejects only where the source does.
 */
export async function measureReply(format: ReplyFormat, source: ByteSource): Promise<number | null> {
  const watched = new WatchedSource(source);
  try {
    const durationMs = await durationOf(format, watched);
    return durationMs === null || durationMs > longestReplyMs ? null : durationMs;
  } catch (error) {
    if (watched.hasFailed) throw error;
    return null;
  }
}

/** Tells a failing disk from a damaged clip. */
class WatchedSource implements ByteSource {
  readonly byteLength: number;
  hasFailed = false;
  readonly #source: ByteSource;

  constructor(source: ByteSource) {
    this.byteLength = source.byteLength;
    this.#source = source;
  }

  async readAt(offset: number, length: number): Promise<Uint8Array> {
    try {
      return await this.#source.readAt(offset, length);
    } catch (error) {
      this.hasFailed = true;
      throw error;
    }
  }
}

async function durationOf(format: ReplyFormat, source: ByteSource): Promise<number | null> {
  switch (format) {
    case "pcm16":
      return Math.round(source.byteLength / pcm16BytesPerMs);
    case "wav":
      return await wavDuration(source);
    case "mp3":
      return (await measureMp3(source))?.durationMs ?? null;
    case "opus":
      return Math.round((await countOpusSamples(await openOggOpus(source))) / 48);
    case "flac":
      return await measureFlac(source);
    case "aac":
      return await measureAdts(source);
  }
}

async function wavDuration(source: ByteSource): Promise<number | null> {
  const result = await measureWav(source);
  return "wav" in result ? result.wav.durationMs : null;
}
