import { WindowReader, type ByteSource } from "./byte-source.js";
import { maxEbmlHeaderByteLength, readEbmlHeader, readSigned } from "./ebml.js";
import { createPause } from "./event-loop.js";
import { maxOpusPacketByteLength, opusPacketSampleCount, opusSampleRate } from "./opus-packet.js";
import type { OpusPacket, OpusStream } from "./opus-stream.js";
import { damaged } from "./unsupported.js";
import { parseWebmBlock } from "./webm-block.js";
import { findOpusTrack } from "./webm-tracks.js";

const id = {
  segment: 0x18538067,
  tracks: 0x1654ae6b,
  cluster: 0x1f43b675,
  simpleBlock: 0xa3,
  blockGroup: 0xa0,
  block: 0xa1,
  discardPadding: 0x75a2,
} as const;

// Only their headers are read, so that the walk goes into them: whether their size is known makes no difference then.
const entered = new Set<number>([id.segment, id.cluster, id.blockGroup]);
const skipped = new Set([
  0x1a45dfa3, 0x114d9b74, 0x1549a966, 0x1c53bb6b, 0x1941a469, 0x1043a770, 0x1254c367, 0xec, 0xbf, 0xe7, 0xab,
  0xa7, 0x5854, 0xaf, 0x9b, 0xfb, 0x75a1, 0xa4, 0xfa, 0xa2, 0xfd, 0x8e, 0xc8,
]);
const read = new Set<number>([id.tracks, id.simpleBlock, id.block, id.discardPadding]);

// Twice what the greatest number of packets needs: a file of tiny elements must not keep the server busy.
const maxElements = 400_000;
const maxTracksByteLength = 1_048_576;
// A block of the most packets that lacing allows.
const maxBlockByteLength = 256 * (maxOpusPacketByteLength + 8);

interface Element {
  id: number;
  /** Null for an element that is only entered or skipped. */
  bytes: Uint8Array | null;
  end: number;
}

/** Finds the Opus track. Throws ParleyError where there is none. */
export async function openWebmOpus(source: ByteSource): Promise<OpusStream> {
  for await (const element of walk(source, 0)) {
    if (element.id === id.cluster) break;
    if (element.id !== id.tracks || element.bytes === null) continue;
    const { track, head } = findOpusTrack(element.bytes);
    return { head, packets: () => readPackets(source, element.end, track) };
  }
  throw damaged("WebM without a list of tracks");
}

/** The elements of the file in order, those of clusters among them. Ends where the file ends or was cut off. */
async function* walk(source: ByteSource, start: number): AsyncGenerator<Element, void> {
  const pause = createPause();
  const reader = new WindowReader(source);
  let offset = start;
  let count = 0;
  while (offset < reader.byteLength) {
    count += 1;
    if (count > maxElements) throw damaged("WebM with more elements than a recording has");
    const header = readEbmlHeader(await reader.read(offset, maxEbmlHeaderByteLength), 0);
    if (header === null) {
      if (reader.byteLength - offset < maxEbmlHeaderByteLength) return;
      throw damagedAt(offset);
    }
    const content = offset + header.headerByteLength;
    const end = entered.has(header.id) ? content : endOf(header, content, offset);
    if (end > reader.byteLength) return;
    const bytes = read.has(header.id)
      ? await reader.read(content, requireLength(header.id, end - content))
      : null;
    yield { id: header.id, bytes, end };
    offset = end;
    await pause();
  }
}

function endOf(header: { id: number; byteLength: number | null }, content: number, offset: number): number {
  // An id that can't stand here means that the walk has lost its way, in a damaged file.
  if (!skipped.has(header.id) && !read.has(header.id)) throw damagedAt(offset);
  if (header.byteLength === null) throw damagedAt(offset);
  return content + header.byteLength;
}

function requireLength(elementId: number, byteLength: number): number {
  if (byteLength > (elementId === id.tracks ? maxTracksByteLength : maxBlockByteLength)) {
    throw damaged("WebM with an element too long for audio");
  }
  return byteLength;
}

function damagedAt(offset: number) {
  return damaged(`WebM, and damaged at byte ${offset}`);
}

async function* readPackets(
  source: ByteSource,
  start: number,
  track: number,
): AsyncGenerator<OpusPacket, void> {
  // Held back because what is to be trimmed from a packet is told behind it.
  let held: OpusPacket | null = null;
  for await (const element of walk(source, start)) {
    if (element.bytes === null) continue;
    if (element.id === id.discardPadding) {
      if (held !== null) held.trimmedSamples = trimmedSamples(held, element.bytes);
      continue;
    }
    for (const bytes of framesOf(element, track)) {
      if (held !== null) yield held;
      held = { bytes, trimmedSamples: 0 };
    }
  }
  if (held !== null) yield held;
}

function framesOf({ id: elementId, bytes, end }: Element, track: number): Uint8Array[] {
  if (bytes === null || (elementId !== id.simpleBlock && elementId !== id.block)) return [];
  const block = parseWebmBlock(bytes);
  if (block === null) throw damagedAt(end - bytes.byteLength);
  return block.track === track ? block.frames : [];
}

function trimmedSamples({ bytes }: OpusPacket, discardPadding: Uint8Array): number {
  const samples = Math.round((readSigned(discardPadding) * opusSampleRate) / 1e9);
  return Math.max(0, Math.min(samples, opusPacketSampleCount(bytes) ?? 0));
}
