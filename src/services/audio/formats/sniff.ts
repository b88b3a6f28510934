import { hasAscii, viewOf } from "./byte-source.js";
import { findMp3Frames, id3TagByteLength } from "./mp3-frame.js";
import { unsupported, type Unsupported } from "./unsupported.js";

/** What the first bytes say. `possible` means that nothing speaks against the file so far. */
export type Sniffed = { kind: "possible"; container: AudioContainer } | Unsupported;
export type AudioContainer = "wav" | "mp3" | "webm" | "ogg";

/** As many bytes as `sniffAudio` wants to see; the whole file where it is shorter. */
export const sniffByteLength = 4096;

/**
 * Judges a file by its first `sniffByteLength` bytes, so that an upload that has no hope is refused at once. What is
 * possible here is still to be recognised as a whole.
 */
export function sniffAudio(firstBytes: Uint8Array): Sniffed {
  const bytes = firstBytes.subarray(0, sniffByteLength);
  if (bytes.byteLength === 0) return unsupported("empty", "empty: it has no bytes");
  return (
    containerOf(bytes) ?? foreignFormat(bytes) ?? unsupported("unknown", "in no format that is known here")
  );
}

function containerOf(bytes: Uint8Array): Sniffed | null {
  if (hasAscii(bytes, 0, "RIFF") && hasAscii(bytes, 8, "WAVE")) return { kind: "possible", container: "wav" };
  if (hasAscii(bytes, 0, "OggS")) return sniffOgg(bytes);
  if (bytes.byteLength >= 4 && viewOf(bytes).getUint32(0) === 0x1a45dfa3) {
    return { kind: "possible", container: "webm" };
  }
  return sniffMp3(bytes);
}

function sniffMp3(bytes: Uint8Array): Sniffed | null {
  const tagByteLength = id3TagByteLength(bytes);
  // A picture in the tag may be longer than what there is to see; some encoders put zeros behind the tag.
  const behindTag = bytes.subarray(tagByteLength);
  if (tagByteLength > 0 && behindTag.byteLength < 10) return { kind: "possible", container: "mp3" };
  const foreign = tagByteLength > 0 ? foreignFormat(behindTag) : null;
  if (foreign !== null) return foreign;
  if (tagByteLength > 0 || findMp3Frames(bytes) !== null) return { kind: "possible", container: "mp3" };
  return null;
}

const oggCodecs = [
  ["\x01vorbis", "Vorbis"],
  ["\x7fFLAC", "FLAC"],
  ["Speex   ", "Speex"],
  ["\x80theora", "Theora video"],
] as const;

function sniffOgg(bytes: Uint8Array): Sniffed {
  const payload = 27 + (bytes[26] ?? 0);
  const other = oggCodecs.find(([magic]) => hasAscii(bytes, payload, magic));
  if (other !== undefined) return unsupported("codec", `Ogg with ${other[1]}`);
  return { kind: "possible", container: "ogg" };
}

const signatures = [
  [0, "fLaC", "codec", "FLAC"],
  [8, "AVI ", "codec", "an AVI video"],
  [0, "FORM", "codec", "AIFF"],
  [0, "caff", "codec", "a Core Audio file (CAF)"],
  [0, ".snd", "codec", "an AU file"],
  [0, "#!AMR", "codec", "AMR"],
  [0, "MThd", "codec", "MIDI, which is notes and not sound"],
  [0, "\x30\x26\xb2\x75\x8e\x66\xcf\x11", "codec", "Windows Media (ASF)"],
  [0, "ADIF", "aac", "AAC (ADIF)"],
  [0, "RF64", "codec", "an RF64 file, which is for audio above 4 GB"],
  [0, "BW64", "codec", "a BW64 file, which is for audio above 4 GB"],
  [0, "RIFX", "codec", "a big-endian WAV file (RIFX)"],
  [0, "data:", "unknown", "text: a data URL. Send the bytes, or base64 without the `data:` prefix"],
  [0, "UklGR", "unknown", "base64 text of a WAV file. It was encoded twice, or sent as a file part"],
] as const;

function foreignFormat(bytes: Uint8Array): Unsupported | null {
  if (hasAscii(bytes, 4, "ftyp")) return sniffMp4(bytes);
  const found = signatures.find(([offset, magic]) => hasAscii(bytes, offset, magic));
  if (found !== undefined) return unsupported(found[2], found[3]);
  return isAdts(bytes) ? unsupported("aac", "AAC (ADTS)") : sniffMpegLayer(bytes);
}

function sniffMp4(bytes: Uint8Array): Unsupported {
  const brand = new TextDecoder("latin1")
    .decode(bytes.subarray(8, 12))
    .replaceAll(/[^\w ]/gu, "?")
    .trim();
  return unsupported("aac", `an MP4 file (brand ${brand}), which holds AAC as a rule`);
}

// The layer bits are 0 in ADTS and never in MPEG audio.
function isAdts(bytes: Uint8Array): boolean {
  const [first = 0, second = 0, third = 0] = bytes;
  return first === 0xff && (second & 0xf6) === 0xf0 && ((third >> 2) & 15) < 13;
}

function sniffMpegLayer(bytes: Uint8Array): Unsupported | null {
  const [first = 0, second = 0] = bytes;
  if (first !== 0xff || (second & 0xe0) !== 0xe0 || (second & 0x18) === 0x08) return null;
  const layer = { 2: "I", 4: "II" }[8 - (second & 6)] ?? null;
  return layer === null ? null : unsupported("codec", `MPEG audio layer ${layer}, not layer III (MP3)`);
}
