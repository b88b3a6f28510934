export interface EbmlHeader {
  id: number;
  headerByteLength: number;
  /** Null: not known when it was written, as live recordings have it. */
  byteLength: number | null;
}

/** As many bytes as the longest header has: an id of 4 and a size of 8. */
export const maxEbmlHeaderByteLength = 12;

/** The element that begins at `offset`, or null where none can. */
export function readEbmlHeader(bytes: Uint8Array, offset: number): EbmlHeader | null {
  const idByteLength = Math.clz32(bytes[offset] ?? 0) - 23;
  if (idByteLength > 4 || offset + idByteLength >= bytes.byteLength) return null;
  let id = 0;
  for (const byte of bytes.subarray(offset, offset + idByteLength)) id = id * 256 + byte;
  const size = readVint(bytes, offset + idByteLength);
  if (size === null) return null;
  return { id, headerByteLength: idByteLength + size.byteLength, byteLength: size.value };
}

export interface Vint {
  byteLength: number;
  /** Null where all bits are set, which means "unknown". */
  value: number | null;
}

/** A number whose first byte tells its length by its leading zeros. Null where it is cut off or above 2^53. */
export function readVint(bytes: Uint8Array, offset: number): Vint | null {
  const first = bytes[offset] ?? 0;
  const byteLength = Math.clz32(first) - 23;
  if (byteLength > 8 || offset + byteLength > bytes.byteLength) return null;
  let value = first & (0xff >> byteLength);
  let isUnknown = value === 0xff >> byteLength;
  for (const byte of bytes.subarray(offset + 1, offset + byteLength)) {
    value = value * 256 + byte;
    isUnknown &&= byte === 0xff;
  }
  if (isUnknown) return { byteLength, value: null };
  return Number.isSafeInteger(value) ? { byteLength, value } : null;
}

/** The elements inside a parent that is in memory; those before a damaged one. */
export function childrenOf(parent: Uint8Array): { id: number; bytes: Uint8Array }[] {
  const children: { id: number; bytes: Uint8Array }[] = [];
  let offset = 0;
  while (offset < parent.byteLength) {
    const header = readEbmlHeader(parent, offset);
    if (header?.byteLength == null) break;
    const start = offset + header.headerByteLength;
    offset = start + header.byteLength;
    if (offset > parent.byteLength) break;
    children.push({ id: header.id, bytes: parent.subarray(start, offset) });
  }
  return children;
}

/** An unsigned number of 0 to 8 bytes; above 2^53 it loses its last digits. */
export function readUnsigned(bytes: Uint8Array): number {
  let value = 0;
  for (const byte of bytes.subarray(0, 8)) value = value * 256 + byte;
  return value;
}

/** A signed number of 1 to 8 bytes; 0 for none. */
export function readSigned(bytes: Uint8Array): number {
  const [first = 0] = bytes;
  const unsigned = readUnsigned(bytes);
  return first < 128 ? unsigned : unsigned - 256 ** Math.min(bytes.byteLength, 8);
}
