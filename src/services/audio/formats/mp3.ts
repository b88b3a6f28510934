import { WindowReader, type ByteSource } from "./byte-source.js";
import { createPause } from "./event-loop.js";
import {
  findMp3Frames,
  id3TagByteLength,
  isMp3InfoFrame,
  mp3LookByteLength,
  readMp3Frame,
  type Mp3Frame,
} from "./mp3-frame.js";

export interface Mp3Measure {
  durationMs: number;
  sampleRate: number;
  channels: 1 | 2;
}

// Junk of this length in front of the first frame is still skipped; and so much of it later on, in all, is searched for
// where frames follow each other again.
const maxJunkByteLength = 65_536;
const maxDamageByteLength = 1_048_576;
/** The slowest frames, of 8 kbps at 22.05 kHz: 26.12 ms in 26 bytes. */
const longestMsPerByte = 1.005;

/**
 * Counts the frames, which is right for variable bit rates and doesn't depend on what a Xing header claims. What lies
 * between them counts as the most that a decoder could make of it. Null where no frames follow each other near the start
 * (behind ID3v2 tags).
 */
export async function measureMp3(source: ByteSource): Promise<Mp3Measure | null> {
  const reader = new WindowReader(source);
  const start = await skipId3Tags(reader);
  const first = await findFrames(reader, start, start + maxJunkByteLength);
  if (first === null) return null;
  const durationMs =
    (await longestMs(reader, start, first.offset)) + (await lengthFrom(reader, first.offset, first.frame));
  const { sampleRate, channels } = first.frame;
  return { durationMs: Math.round(durationMs), sampleRate, channels };
}

async function skipId3Tags(reader: WindowReader): Promise<number> {
  let offset = 0;
  // Each tag is at least 10 bytes long, so this ends; more than a few of them is no real file.
  for (let tags = 0; tags < 16; tags += 1) {
    const tagByteLength = id3TagByteLength(await reader.read(offset, 10));
    if (tagByteLength === 0) break;
    offset += tagByteLength;
  }
  return offset;
}

async function findFrames(reader: WindowReader, from: number, until: number) {
  const pause = createPause();
  // Windows overlap by one look, so that no row of frames is cut in two.
  const step = mp3LookByteLength;
  for (let offset = from; offset < Math.min(until, reader.byteLength); offset += step) {
    const found = findMp3Frames(await reader.read(offset, 2 * step), step);
    if (found !== null) return { offset: offset + found.offset, frame: found.frame };
    await pause();
  }
  return null;
}

/** Of everything from the first frame on, in milliseconds. The rate may change where other frames follow each other. */
async function lengthFrom(reader: WindowReader, start: number, first: Mp3Frame): Promise<number> {
  const pause = createPause();
  const isInfo = isMp3InfoFrame(await reader.read(start, first.byteLength), first);
  const sampleCounts = new Map([[first.sampleRate, isInfo ? -first.sampleCount : 0]]);
  let { sampleRate } = first;
  let damageMs = 0;
  let searchable = maxDamageByteLength;
  let offset = start;
  while (offset < reader.byteLength) {
    const frame = readMp3Frame(await reader.read(offset, 4), 0);
    if (frame?.sampleRate !== sampleRate) {
      const next = await findFrames(reader, offset, offset + searchable);
      damageMs += await longestMs(reader, offset, next?.offset ?? reader.byteLength);
      if (next === null) break;
      searchable -= next.offset - offset;
      ({ offset } = next);
      ({ sampleRate } = next.frame);
      continue;
    }
    // A frame cut by the end of the file can't be heard.
    if (offset + frame.byteLength <= reader.byteLength)
      sampleCounts.set(sampleRate, (sampleCounts.get(sampleRate) ?? 0) + frame.sampleCount);
    offset += frame.byteLength;
    await pause();
  }
  const lengths = [...sampleCounts].map(([rate, sampleCount]) => (Math.max(0, sampleCount) * 1000) / rate);
  return lengths.reduce((sum, ms) => sum + ms, damageMs);
}

/**
 * The most that a decoder could make of bytes that are no row of frames, in milliseconds: all that looks like a frame,
 * alone or one inside the other, and no more than the slowest frames of that length. Tags and zeros have none.
 */
async function longestMs(reader: WindowReader, from: number, to: number): Promise<number> {
  const pause = createPause();
  const step = mp3LookByteLength;
  const mostMs = (to - from) * longestMsPerByte;
  let frameMs = 0;
  for (let start = from; start < to && frameMs < mostMs; start += step) {
    const searched = Math.min(step, to - start);
    const bytes = await reader.read(start, searched + 3);
    for (let offset = 0; offset < searched; offset += 1) {
      const frame = bytes[offset] === 0xff ? readMp3Frame(bytes, offset) : null;
      if (frame !== null) frameMs += (frame.sampleCount * 1000) / frame.sampleRate;
    }
    await pause();
  }
  return Math.min(frameMs, mostMs);
}
