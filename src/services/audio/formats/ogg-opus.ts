import { hasAscii, WindowReader, type ByteSource } from "./byte-source.js";
import { createPause } from "./event-loop.js";
import { readOggPage, type OggPage } from "./ogg-page.js";
import { maxOpusPacketByteLength, opusPacketSampleCount } from "./opus-packet.js";
import { parseOpusHead, type OpusPacket, type OpusStream } from "./opus-stream.js";
import { damaged, formatError, unsupported } from "./unsupported.js";

const maxStreams = 16;

/** Finds the first Opus stream. Throws ParleyError where there is none. */
export async function openOggOpus(source: ByteSource): Promise<OpusStream> {
  const reader = new WindowReader(source);
  let offset = 0;
  // All streams of a file are announced by pages at its start.
  for (let streams = 0; streams < maxStreams; streams += 1) {
    const page = await readOggPage(reader, offset);
    if (page?.beginsStream !== true) break;
    const [first] = page.pieces;
    if (first !== undefined && hasAscii(first, 0, "OpusHead")) {
      const start = page.end;
      return { head: parseOpusHead(first), packets: () => readPackets(source, page.serial, start) };
    }
    offset = page.end;
  }
  throw formatError(unsupported("codec", "Ogg without Opus"));
}

async function* readPackets(
  source: ByteSource,
  serial: number,
  start: number,
): AsyncGenerator<OpusPacket, void> {
  const pause = createPause();
  const reader = new WindowReader(source);
  const assembler = new PacketAssembler();
  let lastGranule: number | null = null;
  for (
    let page = await readOggPage(reader, start);
    page !== null;
    page = await readOggPage(reader, page.end)
  ) {
    await pause();
    if (page.serial !== serial) {
      refuseChain(page, lastGranule);
      continue;
    }
    const packets = assembler.packetsOf(page);
    yield* trimEnd(packets, page, lastGranule ?? 0);
    lastGranule = page.granulePosition ?? lastGranule;
    if (page.endsStream) break;
  }
}

// Recordings that were strung together: only the first would be heard.
function refuseChain(page: OggPage, lastGranule: number | null): void {
  if (!page.beginsStream || lastGranule === null || lastGranule === 0) return;
  throw formatError(unsupported("codec", "several Ogg recordings in one file"));
}

/** Puts packets together that run over pages, and leaves out the second header (the tags). */
class PacketAssembler {
  #parts: Uint8Array[] = [];
  #byteLength = 0;
  #tagsSeen = false;

  packetsOf(page: OggPage): Uint8Array[] {
    // A packet whose beginning or end is on a lost page is lost.
    const isOrphan = page.continuesPacket && this.#byteLength === 0;
    if (!page.continuesPacket) this.#clear();
    const packets: Uint8Array[] = [];
    for (const [index, piece] of page.pieces.entries()) {
      if (isOrphan && index === 0 && this.#tagsSeen) continue;
      this.#add(piece);
      if (index === page.pieces.length - 1 && page.lastIsUnfinished) break;
      const packet = this.#take();
      if (packet !== null) packets.push(packet);
    }
    return packets;
  }

  #add(piece: Uint8Array): void {
    this.#byteLength += piece.byteLength;
    // Tags can hold a picture of any size: they are not kept.
    if (!this.#tagsSeen) return;
    if (this.#byteLength > maxOpusPacketByteLength) throw damaged("Ogg with a packet too long for Opus");
    this.#parts.push(piece);
  }

  #take(): Uint8Array | null {
    const packet = this.#tagsSeen ? joined(this.#parts) : null;
    this.#tagsSeen = true;
    this.#clear();
    return packet;
  }

  #clear(): void {
    this.#parts = [];
    this.#byteLength = 0;
  }
}

function joined(parts: Uint8Array[]): Uint8Array {
  const [first, ...others] = parts;
  return first !== undefined && others.length === 0 ? first : Buffer.concat(parts);
}

/**
 * The last page's position may be earlier than its packets reach: the rest is padding of the encoder (RFC 7845
 * section 4.4). It can take back no more than that page.
 */
function trimEnd(packets: Uint8Array[], page: OggPage, before: number): OpusPacket[] {
  const trimmed = packets.map((bytes) => ({ bytes, trimmedSamples: 0 }));
  if (!page.endsStream || page.granulePosition === null) return trimmed;
  const counts = packets.map((bytes) => opusPacketSampleCount(bytes) ?? 0);
  let excess = before + counts.reduce((sum, count) => sum + count, 0) - page.granulePosition;
  for (const [index, packet] of [...trimmed.entries()].reverse()) {
    packet.trimmedSamples = Math.max(0, Math.min(excess, counts[index] ?? 0));
    excess -= packet.trimmedSamples;
  }
  return trimmed;
}
