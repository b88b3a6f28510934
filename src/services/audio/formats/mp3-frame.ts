import { hasAscii } from "./byte-source.js";

export interface Mp3Frame {
  byteLength: number;
  sampleCount: number;
  sampleRate: number;
  channels: 1 | 2;
  /** Bytes from the frame's start to a Xing or Info tag. */
  tagOffset: number;
}

const mpeg1Kbps = [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320];
const mpeg2Kbps = [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160];
const mpeg1Rates = [44_100, 48_000, 32_000];
// By the two version bits: 0 is MPEG 2.5, 1 is reserved, 2 is MPEG 2, 3 is MPEG 1.
const rateDivisors = [4, Number.NaN, 2, 1];

/** Three frames of the longest kind (MPEG 2.5, 160 kbps, 8 kHz) and the next header: what one look needs. */
export const mp3LookByteLength = 3 * 1441 + 4;

/**
 * The layer III frame whose header stands at `offset`, or null. Free-format frames are not taken: their length can't
 * be told from the header, and no encoder in use writes them.
 */
export function readMp3Frame(bytes: Uint8Array, offset: number): Mp3Frame | null {
  if (offset + 4 > bytes.byteLength) return null;
  // Put together by hand: this runs for every byte of a hostile file, and a view for each would cost seconds.
  let header = 0;
  for (let index = offset; index < offset + 4; index += 1)
    header = ((header << 8) | (bytes[index] ?? 0)) >>> 0;
  // 11 bits of sync, 2 of version, layer III (01).
  if (header >>> 21 !== 0x7ff || ((header >>> 17) & 3) !== 1) return null;
  const version = (header >>> 19) & 3;
  const isMpeg1 = version === 3;
  const kbps = (isMpeg1 ? mpeg1Kbps : mpeg2Kbps)[(header >>> 12) & 15] ?? 0;
  const sampleRate = (mpeg1Rates[(header >>> 10) & 3] ?? Number.NaN) / (rateDivisors[version] ?? Number.NaN);
  if (kbps === 0 || Number.isNaN(sampleRate) || (header & 3) === 2) return null;
  const padding = (header >>> 9) & 1;
  const channels = ((header >>> 6) & 3) === 3 ? 1 : 2;
  return {
    byteLength: Math.floor(((isMpeg1 ? 144_000 : 72_000) * kbps) / sampleRate) + padding,
    sampleCount: isMpeg1 ? 1152 : 576,
    sampleRate,
    channels,
    tagOffset: 4 + sideInfoByteLength(isMpeg1, channels),
  };
}

function sideInfoByteLength(isMpeg1: boolean, channels: 1 | 2): number {
  if (isMpeg1) return channels === 1 ? 17 : 32;
  return channels === 1 ? 9 : 17;
}

export interface FoundFrames {
  offset: number;
  frame: Mp3Frame;
}

/**
 * The first place where frames follow each other: 2 at the very start, 3 further in, because a sync pattern alone is
 * found in any noise. The last of them may be cut by the end of `bytes` behind its header. They begin within the first
 * `searchByteLength` bytes.
 */
export function findMp3Frames(bytes: Uint8Array, searchByteLength = bytes.byteLength): FoundFrames | null {
  for (let offset = 0; offset < searchByteLength && offset + 4 <= bytes.byteLength; offset += 1) {
    const frame = bytes[offset] === 0xff ? readMp3Frame(bytes, offset) : null;
    if (frame !== null && countFollowing(bytes, offset, frame) >= (offset === 0 ? 2 : 3))
      return { offset, frame };
  }
  return null;
}

function countFollowing(bytes: Uint8Array, start: number, first: Mp3Frame): number {
  let count = 1;
  let offset = start + first.byteLength;
  while (count < 3) {
    const next = readMp3Frame(bytes, offset);
    if (next === null || next.sampleRate !== first.sampleRate || next.sampleCount !== first.sampleCount)
      break;
    count += 1;
    offset += next.byteLength;
  }
  return count;
}

/** The length of an ID3v2 tag at the start, 0 where there is none. The tag may be longer than `bytes`. */
export function id3TagByteLength(bytes: Uint8Array): number {
  if (bytes.byteLength < 10 || !hasAscii(bytes, 0, "ID3") || (bytes[3] ?? 0) === 0xff) return 0;
  const sizes = bytes.subarray(6, 10);
  if (sizes.some((byte) => byte > 127)) return 0;
  const size = sizes.reduce((sum, byte) => sum * 128 + byte, 0);
  const footerByteLength = ((bytes[5] ?? 0) & 0x10) === 0 ? 0 : 10;
  return 10 + size + footerByteLength;
}

/** Whether the first frame holds only an encoder's table (Xing, Info, VBRI) and no sound. */
export function isMp3InfoFrame(bytes: Uint8Array, frame: Mp3Frame): boolean {
  return (
    hasAscii(bytes, frame.tagOffset, "Xing") ||
    hasAscii(bytes, frame.tagOffset, "Info") ||
    hasAscii(bytes, 36, "VBRI")
  );
}
