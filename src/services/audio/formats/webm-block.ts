import { readVint } from "./ebml.js";

export interface WebmBlock {
  track: number;
  /** One or more, where the writer has packed several behind one header ("lacing"). */
  frames: Uint8Array[];
}

/** Reads the content of a SimpleBlock or Block. Null where it is damaged. */
export function parseWebmBlock(bytes: Uint8Array): WebmBlock | null {
  const track = readVint(bytes, 0);
  if (track?.value == null) return null;
  // Behind the track: 2 bytes of time, one of flags.
  const flags = bytes[track.byteLength + 2];
  if (flags === undefined) return null;
  const frames = splitLacing((flags >> 1) & 3, bytes.subarray(track.byteLength + 3));
  return frames === null ? null : { track: track.value, frames };
}

function splitLacing(lacing: number, bytes: Uint8Array): Uint8Array[] | null {
  if (lacing === 0) return [bytes];
  const count = (bytes[0] ?? -1) + 1;
  if (count === 0) return null;
  const body = bytes.subarray(1);
  if (lacing === 2) return cut(body, 0, sameSizes(body.byteLength, count));
  const read = lacing === 1 ? xiphSizes(body, count) : ebmlSizes(body, count);
  return read === null ? null : cut(body, read.end, read.sizes);
}

function sameSizes(byteLength: number, count: number): number[] {
  return byteLength % count === 0 ? Array.from({ length: count - 1 }, () => byteLength / count) : [-1];
}

interface Sizes {
  sizes: number[];
  end: number;
}

function xiphSizes(bytes: Uint8Array, count: number): Sizes | null {
  const sizes: number[] = [];
  let offset = 0;
  while (sizes.length < count - 1) {
    let size = 0;
    let byte: number | undefined;
    do {
      byte = bytes[offset];
      if (byte === undefined) return null;
      size += byte;
      offset += 1;
    } while (byte === 255);
    sizes.push(size);
  }
  return { sizes, end: offset };
}

// The first size is told as it is, each later one as its difference, moved to be positive.
function ebmlSizes(bytes: Uint8Array, count: number): Sizes | null {
  const sizes: number[] = [];
  let offset = 0;
  while (sizes.length < count - 1) {
    const read = readVint(bytes, offset);
    if (read?.value == null) return null;
    const bias = 2 ** (7 * read.byteLength - 1) - 1;
    const before = sizes.at(-1);
    sizes.push(before === undefined ? read.value : before + read.value - bias);
    offset += read.byteLength;
  }
  return { sizes, end: offset };
}

// All frames but the last have a size; the last has what remains.
function cut(bytes: Uint8Array, start: number, sizes: number[]): Uint8Array[] | null {
  const frames: Uint8Array[] = [];
  let offset = start;
  for (const size of sizes) {
    if (size < 0 || offset + size > bytes.byteLength) return null;
    frames.push(bytes.subarray(offset, offset + size));
    offset += size;
  }
  return [...frames, bytes.subarray(offset)];
}
