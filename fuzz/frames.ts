import { mutate, pick } from "./mutate.js";
import type { MutationSources } from "./mutate.js";

/** A WebSocket's frame, with its payload unmasked. */
export interface Frame {
  /** FIN, the reserved bits and the opcode. */
  first: number;
  masked: boolean;
  payload: Uint8Array;
  /** All of it, as it came. */
  encoded: Uint8Array;
}

/** Zeros change nothing, so that what stands in the corpus can be read and mutated. */
const mask = Buffer.alloc(4);

/** A frame as clients send them. RFC 6455, section 5.2. */
export function encodeFrame({ first, payload }: Pick<Frame, "first" | "payload">): Uint8Array {
  const length = payload.byteLength;
  const size = Buffer.alloc(length < 126 ? 1 : length < 65_536 ? 3 : 9);
  if (length < 126) size.writeUInt8(0x80 | length);
  else if (length < 65_536) {
    size.writeUInt8(0x80 | 126);
    size.writeUInt16BE(length, 1);
  } else {
    size.writeUInt8(0x80 | 127);
    size.writeBigUInt64BE(BigInt(length), 1);
  }
  return Buffer.concat([Buffer.of(first), size, mask, payload]);
}

/** All whole frames, and what is left behind the last of them. */
export function readFrames(bytes: Uint8Array): { frames: Frame[]; rest: Uint8Array } {
  const frames: Frame[] = [];
  let rest = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (;;) {
    const found = readFrame(rest);
    if (found === null) return { frames, rest };
    frames.push(found.frame);
    rest = rest.subarray(found.byteLength);
  }
}

function readFrame(bytes: Buffer): { frame: Frame; byteLength: number } | null {
  if (bytes.byteLength < 2) return null;
  const [first = 0, second = 0] = bytes;
  const short = second & 0x7f;
  const sizeBytes = short === 126 ? 2 : short === 127 ? 8 : 0;
  const masked = (second & 0x80) !== 0;
  const start = 2 + sizeBytes + (masked ? 4 : 0);
  if (bytes.byteLength < start) return null;
  const length =
    sizeBytes === 0 ? short : sizeBytes === 2 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2));
  if (bytes.byteLength < start + length) return null;
  const key = masked ? bytes.subarray(start - 4, start) : mask;
  const payload = bytes.subarray(start, start + length).map((byte, index) => byte ^ (key[index % 4] ?? 0));
  const byteLength = start + length;
  return { frame: { first, masked, payload, encoded: bytes.subarray(0, byteLength) }, byteLength };
}

/** Changes what a frame holds and tells its new length, cuts it into fragments, or changes anything at all. */
export function mutateFrames(bytes: Uint8Array, sources: MutationSources): Uint8Array {
  const { random } = sources;
  const { frames, rest } = readFrames(bytes);
  if (frames.length === 0 || random.chance(0.25)) return mutate(bytes, sources);
  const changed = pick(random, frames);
  const sent = frames.flatMap((frame) => (frame === changed ? changeFrame(frame, sources) : [frame.encoded]));
  if (random.chance(0.2)) sent.push(pick(random, frames).encoded);
  return Buffer.concat([...sent, rest]);
}

function changeFrame({ first, payload }: Frame, sources: MutationSources): Uint8Array[] {
  const { random } = sources;
  if (random.chance(0.15)) return inFragments(first, payload, random.whole(0, payload.byteLength));
  if (random.chance(0.1)) return [encodeFrame({ first: random.whole(0, 255), payload })];
  return [encodeFrame({ first, payload: mutate(payload, sources) })];
}

function inFragments(first: number, payload: Uint8Array, cut: number): Uint8Array[] {
  return [
    encodeFrame({ first: first & 0x7f, payload: payload.subarray(0, cut) }),
    encodeFrame({ first: 0x80, payload: payload.subarray(cut) }),
  ];
}
