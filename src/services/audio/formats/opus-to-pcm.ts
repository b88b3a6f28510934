import type { OpusDecoder } from "opus-decoder";

import { ParleyError } from "../../../errors.js";
import { createPause } from "./event-loop.js";
import { HalfRateResampler } from "./half-rate.js";
import { timedPackets, type OpusStream, type TimedOpusPacket } from "./opus-stream.js";
import { damaged } from "./unsupported.js";

export interface OpusConversion {
  /** Takes 24 kHz mono s16le, in order; awaited before more is decoded. */
  sink: (pcm: Uint8Array) => Promise<void>;
  /** More PCM than this is refused with AUDIO_TOO_LARGE, after at most this much went to the sink. */
  maxPcmByteLength: number;
  /** Aborting rejects with the signal's reason. */
  signal?: AbortSignal;
}

const blockByteLength = 32_768;

/**
 * Decodes packet by packet; memory stays flat and other work of the process runs in between. Resolves to the length of
 * the PCM. Throws ParleyError where the stream is damaged or too long; what the sink took is then worthless.
 */
export async function convertOpusToPcm(stream: OpusStream, conversion: OpusConversion): Promise<number> {
  const decoder = await createDecoder();
  const writer = new PcmWriter(conversion);
  await decodeInto(writer, stream, decoder, conversion.signal);
  return await writer.end();
}

async function decodeInto(
  writer: PcmWriter,
  stream: OpusStream,
  decoder: OpusDecoder,
  signal: AbortSignal | undefined,
): Promise<void> {
  const pause = createPause();
  const resampler = new HalfRateResampler();
  const { gain } = stream.head;
  let toSkip = stream.head.preSkipSamples;
  for await (const packet of timedPackets(stream)) {
    signal?.throwIfAborted();
    const mono = decoded(decoder, packet, gain);
    const skipped = Math.min(toSkip, mono.length);
    toSkip -= skipped;
    await writer.write(resampler.push(mono.subarray(skipped)));
    await pause();
  }
  await writer.write(resampler.flush());
}

async function createDecoder(): Promise<OpusDecoder> {
  // Loaded at the first conversion: most servers never need it.
  const { OpusDecoder } = await import("opus-decoder");
  // Mono out of stereo too. With two channels its WebAssembly stack is too small for SILK frames of 40 and 60 ms behind
  // CELT ones: it overwrites its own memory (version 0.7.12).
  const decoder = new OpusDecoder({ channels: 1 });
  await decoder.ready;
  return decoder;
}

function decoded(decoder: OpusDecoder, packet: TimedOpusPacket, gain: number): Float32Array {
  const { channelData, errors } = decoder.decodeFrame(packet.bytes);
  const [mono] = channelData;
  // Given up at the first error, because the decoder writes a line to the console for each.
  if (mono === undefined || errors.length > 0) throw damaged("Opus with a packet that can't be decoded");
  const kept = mono.subarray(0, Math.max(0, mono.length - packet.trimmedSamples));
  return gain === 1 ? kept : kept.map((sample) => sample * gain);
}

/** Gathers samples into blocks of 16-bit PCM. */
class PcmWriter {
  readonly #conversion: OpusConversion;
  #block = Buffer.alloc(blockByteLength);
  #filled = 0;
  #byteLength = 0;

  constructor(conversion: OpusConversion) {
    this.#conversion = conversion;
  }

  async write(samples: Float32Array): Promise<void> {
    this.#byteLength += samples.length * 2;
    requirePcmWithin(this.#byteLength, this.#conversion.maxPcmByteLength);
    for (const sample of samples) {
      const rounded = Math.round(sample * 32_768);
      this.#block.writeInt16LE(Math.max(-32_768, Math.min(32_767, rounded)), this.#filled);
      this.#filled += 2;
      if (this.#filled === blockByteLength) await this.#flush();
    }
  }

  async end(): Promise<number> {
    if (this.#filled > 0) await this.#flush();
    return this.#byteLength;
  }

  async #flush(): Promise<void> {
    const pcm = new Uint8Array(this.#block.subarray(0, this.#filled));
    this.#filled = 0;
    await this.#conversion.sink(pcm);
  }
}

/** Throws AUDIO_TOO_LARGE. Usable before a conversion too, with the length that its duration will give. */
export function requirePcmWithin(byteLength: number, maxByteLength: number): void {
  if (byteLength <= maxByteLength) return;
  const maxSeconds = Math.floor(maxByteLength / 48_000);
  throw new ParleyError(
    "AUDIO_TOO_LARGE",
    `As 24 kHz mono WAV, which the model takes, this recording is longer than the ${maxSeconds} seconds that fit. ` +
      "Send it in shorter pieces.",
  );
}
