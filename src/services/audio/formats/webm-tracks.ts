import { childrenOf, readUnsigned } from "./ebml.js";
import { opusSampleRate } from "./opus-packet.js";
import { parseOpusHead, requireMonoOrStereo, type OpusHead } from "./opus-stream.js";
import { formatError, unsupported } from "./unsupported.js";

export interface WebmOpusTrack {
  track: number;
  head: OpusHead;
}

interface TrackEntry {
  track: number;
  isVideo: boolean;
  codec: string;
  codecPrivate: Uint8Array | null;
  codecDelayNs: number;
  channels: number;
  isEncoded: boolean;
}

/** The first Opus track of a Tracks element. Throws ParleyError where there is video, or no Opus. */
export function findOpusTrack(tracks: Uint8Array): WebmOpusTrack {
  const entries = childrenOf(tracks)
    .filter(({ id }) => id === 0xae)
    .map(({ bytes }) => readTrackEntry(bytes));
  if (entries.some(({ isVideo }) => isVideo)) throw formatError(unsupported("codec", "WebM with video"));
  const opus = entries.find(({ codec }) => codec === "A_OPUS");
  if (opus === undefined) throw formatError(unsupported("codec", `WebM with ${nameOf(entries[0])}`));
  if (opus.isEncoded)
    throw formatError(unsupported("codec", "Matroska with a compressed or encrypted track"));
  return { track: opus.track, head: headOf(opus) };
}

function headOf({ codecPrivate, channels, codecDelayNs }: TrackEntry): OpusHead {
  if (codecPrivate !== null) return parseOpusHead(codecPrivate);
  const preSkipSamples = Math.min(Math.round((codecDelayNs * opusSampleRate) / 1e9), 65_535);
  return { channels: requireMonoOrStereo(channels), preSkipSamples, gain: 1 };
}

function nameOf(entry: TrackEntry | undefined): string {
  if (entry === undefined) return "no audio";
  const names = new Map([
    ["A_VORBIS", "Vorbis"],
    ["A_AAC", "AAC"],
    ["A_FLAC", "FLAC"],
    ["A_PCM/INT/LIT", "PCM"],
    ["A_PCM/FLOAT/IEEE", "PCM"],
  ]);
  return names.get(entry.codec) ?? "a codec that is not Opus";
}

function readTrackEntry(bytes: Uint8Array): TrackEntry {
  const fields = new Map(childrenOf(bytes).map((child) => [child.id, child.bytes]));
  const number = (id: number) => readUnsigned(fields.get(id) ?? new Uint8Array(0));
  const audio = new Map(
    childrenOf(fields.get(0xe1) ?? new Uint8Array(0)).map((child) => [child.id, child.bytes]),
  );
  return {
    track: number(0xd7),
    isVideo: number(0x83) === 1,
    codec: new TextDecoder("latin1").decode(fields.get(0x86)).replace(/\0+$/u, ""),
    codecPrivate: fields.get(0x63a2) ?? null,
    codecDelayNs: number(0x56aa),
    channels: readUnsigned(audio.get(0x9f) ?? new Uint8Array([1])),
    isEncoded: fields.has(0x6d80),
  };
}
