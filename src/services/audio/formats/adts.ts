import { WindowReader, type ByteSource } from "./byte-source.js";
import { createPause } from "./event-loop.js";

const headerByteLength = 7;
const samplesPerBlock = 1024;
// ISO/IEC 14496-3, table 1.18.
const sampleRates = [
  96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8000, 7350,
];

interface AdtsFrame {
  byteLength: number;
  sampleCount: number;
  sampleRate: number;
}

/** How long AAC in ADTS frames is, in milliseconds; null where the source doesn't begin with a frame. */
export async function measureAdts(source: ByteSource): Promise<number | null> {
  const reader = new WindowReader(source);
  const pause = createPause();
  let durationMs: number | null = null;
  let offset = 0;
  // Each frame is at least its header long, so this ends; what stands behind damage is not counted.
  while (offset < reader.byteLength) {
    const frame = readFrame(await reader.read(offset, headerByteLength));
    if (frame === null || offset + frame.byteLength > reader.byteLength) break;
    durationMs = (durationMs ?? 0) + (frame.sampleCount * 1000) / frame.sampleRate;
    offset += frame.byteLength;
    await pause();
  }
  return durationMs === null ? null : Math.round(durationMs);
}

function readFrame(header: Uint8Array): AdtsFrame | null {
  const [sync = 0, flags = 0, format = 0, high = 0, middle = 0, low = 0, blocks = 0] = header;
  // 12 bits of sync, 1 of version, layer 00, 1 that tells whether a checksum follows.
  if (header.byteLength < headerByteLength || sync !== 0xff || (flags & 0xf6) !== 0xf0) return null;
  const sampleRate = sampleRates[(format >>> 2) & 15];
  const byteLength = ((high & 3) << 11) | (middle << 3) | (low >>> 5);
  if (sampleRate === undefined || byteLength < headerByteLength) return null;
  return { byteLength, sampleCount: samplesPerBlock * ((blocks & 3) + 1), sampleRate };
}
