import { hasAscii, viewOf, type WindowReader } from "./byte-source.js";
import { damaged } from "./unsupported.js";

export interface OggPage {
  continuesPacket: boolean;
  beginsStream: boolean;
  endsStream: boolean;
  /** The time at the end of the last packet that ends here; null where none does. */
  granulePosition: number | null;
  serial: number;
  /** The pieces of packets in it, in order. Only the last can be unfinished. */
  pieces: Uint8Array[];
  lastIsUnfinished: boolean;
  /** Where the next page begins. */
  end: number;
}

const fixedByteLength = 27;

/**
 * The page at `offset`; null at the end of the file, also where the page was cut off there. Throws where something
 * else than a page stands.
 */
export async function readOggPage(reader: WindowReader, offset: number): Promise<OggPage | null> {
  const header = await reader.read(offset, fixedByteLength + 255);
  if (header.byteLength < fixedByteLength) return null;
  if (!hasAscii(header, 0, "OggS") || header[4] !== 0) throw damaged(`Ogg, and damaged at byte ${offset}`);
  const view = viewOf(header);
  const lacingEnd = fixedByteLength + view.getUint8(26);
  const lacing = header.subarray(fixedByteLength, lacingEnd);
  const byteLength = lacing.reduce((sum, value) => sum + value, 0);
  const bodyStart = offset + lacingEnd;
  const body = await reader.read(bodyStart, byteLength);
  if (body.byteLength < byteLength || header.byteLength < lacingEnd) return null;
  const flags = view.getUint8(5);
  const granule = Number(view.getBigInt64(6, true));
  return {
    continuesPacket: (flags & 1) !== 0,
    beginsStream: (flags & 2) !== 0,
    endsStream: (flags & 4) !== 0,
    granulePosition: granule < 0 ? null : granule,
    serial: view.getUint32(14, true),
    pieces: splitByLacing(lacing, body),
    lastIsUnfinished: lacing.at(-1) === 255,
    end: bodyStart + byteLength,
  };
}

function splitByLacing(lacing: Uint8Array, body: Uint8Array): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  let start = 0;
  let end = 0;
  for (const value of lacing) {
    end += value;
    if (value === 255) continue;
    pieces.push(body.subarray(start, end));
    start = end;
  }
  if (lacing.at(-1) === 255) pieces.push(body.subarray(start, end));
  return pieces;
}
