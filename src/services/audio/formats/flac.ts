import { hasAscii, viewOf, type ByteSource } from "./byte-source.js";

// "fLaC", the header of a block, and STREAMINFO, which is always the first block (RFC 9639, section 8.2).
const startByteLength = 4 + 4 + 34;
// The longest frame of speech is far shorter: 4,608 samples of 16 bits in stereo, not compressed at all.
const tailByteLength = 65_536;

interface StreamInfo {
  sampleRate: number;
  sampleCount: number;
  /** Samples of each block; null where blocks differ. */
  blockSize: number | null;
}

/**
 * How long a FLAC file is, in milliseconds: by its STREAMINFO, or, where an encoder that could not go back left the
 * count open, by the number of the last frame. Null where neither tells.
 */
export async function measureFlac(source: ByteSource): Promise<number | null> {
  const info = readStreamInfo(await source.readAt(0, startByteLength));
  if (info === null) return null;
  const sampleCount = info.sampleCount === 0 ? await findEnd(source, info) : info.sampleCount;
  return sampleCount === null ? null : Math.round((sampleCount * 1000) / info.sampleRate);
}

function readStreamInfo(bytes: Uint8Array): StreamInfo | null {
  if (bytes.byteLength < startByteLength || !hasAscii(bytes, 0, "fLaC")) return null;
  const view = viewOf(bytes);
  // The lowest 7 bits of a block's header are its kind (0 is STREAMINFO), 24 more its length.
  if ((view.getUint32(4) & 0x7fffffff) !== 34) return null;
  const shortest = view.getUint16(8);
  const sampleRate = view.getUint32(18) >>> 12;
  if (sampleRate === 0) return null;
  const sampleCount = (view.getUint8(21) & 15) * 2 ** 32 + view.getUint32(22);
  return { sampleRate, sampleCount, blockSize: shortest === view.getUint16(10) ? shortest : null };
}

async function findEnd(source: ByteSource, info: StreamInfo): Promise<number | null> {
  const from = Math.max(startByteLength, source.byteLength - tailByteLength);
  const tail = await source.readAt(from, source.byteLength - from);
  for (let offset = tail.byteLength - 6; offset >= 0; offset -= 1) {
    const end = tail[offset] === 0xff ? frameEnd(tail.subarray(offset), info) : null;
    if (end !== null) return end;
  }
  return null;
}

/** The number of samples up to the end of the frame that begins here; null where none does (section 9.1). */
function frameEnd(bytes: Uint8Array, info: StreamInfo): number | null {
  const [, flags = 0, sizes = 0] = bytes;
  // 15 bits of sync and reserve, and one that tells whether samples or frames are counted.
  if ((flags & 0xfe) !== 0xf8) return null;
  const number = readNumber(bytes.subarray(4));
  if (number === null) return null;
  const sizeOffset = 4 + number.byteLength;
  const size = blockSize(sizes >>> 4, bytes.subarray(sizeOffset));
  const rateByteLength = [1, 2, 2][(sizes & 15) - 12] ?? 0;
  const checkedByteLength = sizeOffset + (size?.byteLength ?? 0) + rateByteLength;
  if (size === null || bytes[checkedByteLength] !== crc8(bytes.subarray(0, checkedByteLength))) return null;
  if ((flags & 1) === 1) return number.value + size.value;
  return info.blockSize === null ? null : number.value * info.blockSize + size.value;
}

interface CodedNumber {
  value: number;
  byteLength: number;
}

/** A number of up to 36 bits, coded like a character of UTF-8 (section 9.1.5). */
function readNumber(bytes: Uint8Array): CodedNumber | null {
  const first = bytes[0] ?? 0;
  if (first < 0x80) return { value: first, byteLength: 1 };
  const byteLength = Math.clz32(~(first << 24));
  if (byteLength < 2 || byteLength > 7) return null;
  let value = first & (0x7f >>> byteLength);
  for (let index = 1; index < byteLength; index += 1) {
    const next = bytes[index] ?? 0;
    if ((next & 0xc0) !== 0x80) return null;
    value = value * 64 + (next & 0x3f);
  }
  return { value, byteLength };
}

/** Samples in the frame, and how many bytes at the header's end told it (section 9.1.1). */
function blockSize(code: number, ending: Uint8Array): CodedNumber | null {
  if (code === 0) return null;
  if (code === 1) return { value: 192, byteLength: 0 };
  if (code <= 5) return { value: 144 * 2 ** code, byteLength: 0 };
  if (code === 6) return { value: (ending[0] ?? 0) + 1, byteLength: 1 };
  if (code === 7) return { value: (ending[0] ?? 0) * 256 + (ending[1] ?? 0) + 1, byteLength: 2 };
  return { value: 2 ** code, byteLength: 0 };
}

function crc8(bytes: Uint8Array): number {
  let crc = 0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc & 0x80) === 0 ? crc << 1 : ((crc << 1) ^ 0x07) & 0xff;
  }
  return crc;
}
