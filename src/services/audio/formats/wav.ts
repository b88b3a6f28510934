import { hasAscii, viewOf, WindowReader, type ByteSource } from "./byte-source.js";

export type WavEncoding = "pcm" | "float" | "a-law" | "mu-law";

export interface WavMeasure {
  encoding: WavEncoding;
  durationMs: number;
  sampleRate: number;
  channels: number;
  bitsPerSample: number;
  /** Where the sound begins, and how much of it is really there, in whole sample frames. */
  dataOffset: number;
  dataByteLength: number;
}

/** `problem` completes "a WAV file …". */
export type WavResult = { wav: WavMeasure } | { problem: string };

interface WavFormat {
  tag: number;
  channels: number;
  sampleRate: number;
  blockByteLength: number;
  bitsPerSample: number;
}

const encodings = new Map<number, { encoding: WavEncoding; bits: readonly number[] }>([
  [1, { encoding: "pcm", bits: [8, 16, 24, 32] }],
  [3, { encoding: "float", bits: [32, 64] }],
  [6, { encoding: "a-law", bits: [8] }],
  [7, { encoding: "mu-law", bits: [8] }],
]);
const extensibleTag = 0xfffe;
const maxChunks = 10_000;

/**
 * Reads the chunks in whatever order they come. Programs that stream WAV leave its sizes 0 or 0xFFFFFFFF, or claim more
 * than they wrote: then the length is what is there.
 */
export async function measureWav(source: ByteSource): Promise<WavResult> {
  const reader = new WindowReader(source);
  const head = await reader.read(0, 12);
  if (!hasAscii(head, 0, "RIFF") || !hasAscii(head, 8, "WAVE")) return { problem: "without a RIFF header" };
  const { format, data } = await findChunks(reader);
  if (format === null) return { problem: "without a `fmt ` chunk" };
  if (data === null) return { problem: "without a `data` chunk" };
  return describeSound(format, data);
}

interface Chunks {
  format: WavFormat | null;
  data: { offset: number; byteLength: number } | null;
}

async function findChunks(reader: WindowReader): Promise<Chunks> {
  const chunks: Chunks = { format: null, data: null };
  let offset = 12;
  for (let count = 0; count < maxChunks && offset + 8 <= reader.byteLength; count += 1) {
    const header = await reader.read(offset, 8);
    const size = viewOf(header).getUint32(4, true);
    const start = offset + 8;
    const available = reader.byteLength - start;
    if (hasAscii(header, 0, "fmt ")) {
      chunks.format ??= readFormat(await reader.read(start, Math.min(size, 40)));
    } else if (hasAscii(header, 0, "data")) {
      // Size 0 means "not known" where nothing that looks like a chunk follows.
      const known = size <= available && (size > 0 || (await isChunkAt(reader, start)));
      chunks.data ??= { offset: start, byteLength: known ? size : available };
      if (!known) break;
    }
    if (chunks.format !== null && chunks.data !== null) break;
    offset = start + size + (size & 1);
  }
  return chunks;
}

async function isChunkAt(reader: WindowReader, offset: number): Promise<boolean> {
  if (offset === reader.byteLength) return true;
  const header = await reader.read(offset, 8);
  if (header.byteLength < 8) return false;
  const printable = header.subarray(0, 4).every((byte) => byte >= 0x20 && byte < 0x7f);
  return printable && viewOf(header).getUint32(4, true) <= reader.byteLength - offset - 8;
}

function readFormat(bytes: Uint8Array): WavFormat | null {
  if (bytes.byteLength < 16) return null;
  const view = viewOf(bytes);
  const tag = view.getUint16(0, true);
  // The first two bytes of the sub-format's GUID are the tag that a plain header would have.
  const isExtensible = tag === extensibleTag && bytes.byteLength >= 26;
  return {
    tag: isExtensible ? view.getUint16(24, true) : tag,
    channels: view.getUint16(2, true),
    sampleRate: view.getUint32(4, true),
    blockByteLength: view.getUint16(12, true),
    bitsPerSample: view.getUint16(14, true),
  };
}

function describeSound(format: WavFormat, data: { offset: number; byteLength: number }): WavResult {
  const { tag, channels, sampleRate, bitsPerSample } = format;
  const known = encodings.get(tag);
  if (known === undefined) return { problem: `with ${nameOfTag(tag)} instead of PCM` };
  if (!known.bits.includes(bitsPerSample)) return { problem: `with ${bitsPerSample} bits a sample` };
  if (channels < 1 || channels > 64) return { problem: `with ${channels} channels` };
  if (sampleRate < 1000 || sampleRate > 768_000) return { problem: `with a sample rate of ${sampleRate} Hz` };
  const frameByteLength = channels * (bitsPerSample / 8);
  if (format.blockByteLength !== frameByteLength) return { problem: "whose header contradicts itself" };
  const frames = Math.floor(data.byteLength / frameByteLength);
  return {
    wav: {
      encoding: known.encoding,
      durationMs: Math.round((frames * 1000) / sampleRate),
      sampleRate,
      channels,
      bitsPerSample,
      dataOffset: data.offset,
      dataByteLength: frames * frameByteLength,
    },
  };
}

function nameOfTag(tag: number): string {
  const names = new Map([
    [2, "ADPCM"],
    [0x11, "IMA ADPCM"],
    [0x31, "GSM"],
    [0x50, "MPEG audio"],
    [0x55, "MP3"],
    [0xff, "AAC"],
  ]);
  return names.get(tag) ?? `encoding 0x${tag.toString(16)}`;
}
