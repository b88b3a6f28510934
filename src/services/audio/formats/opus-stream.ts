import { hasAscii, viewOf } from "./byte-source.js";
import { createPause } from "./event-loop.js";
import { opusPacketSampleCount } from "./opus-packet.js";
import { damaged, formatError, unsupported } from "./unsupported.js";

/** One packet out of its container. */
export interface OpusPacket {
  bytes: Uint8Array;
  /** 48 kHz samples that the container says to drop from its end. */
  trimmedSamples: number;
}

/** Opus out of Ogg or WebM. Reading the packets throws ParleyError where the file is damaged. */
export interface OpusStream {
  head: OpusHead;
  packets: () => AsyncIterable<OpusPacket>;
}

export interface OpusHead {
  channels: 1 | 2;
  /** 48 kHz samples to drop from the start. */
  preSkipSamples: number;
  /** The factor that the samples are multiplied with. */
  gain: number;
}

/** Reads the identification header (RFC 7845 section 5.1). Throws ParleyError for more than two channels. */
export function parseOpusHead(bytes: Uint8Array): OpusHead {
  if (!hasAscii(bytes, 0, "OpusHead") || bytes.byteLength < 19) throw damaged("Opus with a damaged header");
  const view = viewOf(bytes);
  if (view.getUint8(8) >> 4 !== 0) throw formatError(unsupported("codec", "a later version of Opus"));
  return {
    channels: requireMonoOrStereo(view.getUint8(9)),
    preSkipSamples: view.getUint16(10, true),
    gain: 10 ** (view.getInt16(16, true) / 256 / 20),
  };
}

export function requireMonoOrStereo(channels: number): 1 | 2 {
  if (channels === 1 || channels === 2) return channels;
  throw formatError(
    unsupported("codec", `Opus with ${channels} channels, and only mono and stereo are converted`),
  );
}

/** A packet with its length in 48 kHz samples. Empty packets stand for lost ones and are left out. */
export interface TimedOpusPacket extends OpusPacket {
  sampleCount: number;
}

// More than an hour of the usual 20 ms, far above what is accepted once converted: a file of tiny packets must not keep
// the server busy.
const maxPackets = 200_000;

export async function* timedPackets(stream: OpusStream): AsyncGenerator<TimedOpusPacket, void> {
  let index = 0;
  for await (const packet of stream.packets()) {
    index += 1;
    if (index > maxPackets) throw damaged("Opus in more packets than a recording has");
    if (packet.bytes.byteLength === 0) continue;
    const sampleCount = opusPacketSampleCount(packet.bytes);
    if (sampleCount === null) throw damaged(`damaged: its packet ${index} is not Opus`);
    yield { ...packet, sampleCount };
  }
}

/** The length without decoding, in 48 kHz samples. */
export async function countOpusSamples(stream: OpusStream): Promise<number> {
  const pause = createPause();
  let sampleCount = -stream.head.preSkipSamples;
  for await (const packet of timedPackets(stream)) {
    sampleCount += packet.sampleCount - packet.trimmedSamples;
    await pause();
  }
  return Math.max(sampleCount, 0);
}
