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

// Junk of this length in front of the first frame is still skipped; and so much of it later on, in all.
const maxJunkByteLength = 65_536;
const maxDamageByteLength = 1_048_576;

/**
 * Counts the frames, which is right for variable bit rates and doesn't depend on what a Xing header claims. Null
 * where no frames follow each other near the start (behind ID3v2 tags).
 */
export async function measureMp3(source: ByteSource): Promise<Mp3Measure | null> {
  const reader = new WindowReader(source);
  const start = await skipId3Tags(reader);
  const first = await findFrames(reader, start, start + maxJunkByteLength);
  if (first === null) return null;
  const sampleCount = await countSamples(reader, first.offset, first.frame);
  const { sampleRate, channels } = first.frame;
  return { durationMs: Math.round((sampleCount * 1000) / sampleRate), sampleRate, channels };
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

// What stands behind too much damage is not counted: searching it all would let a hostile file keep the server busy.
async function countSamples(reader: WindowReader, start: number, first: Mp3Frame): Promise<number> {
  const pause = createPause();
  let sampleCount = isMp3InfoFrame(await reader.read(start, first.byteLength), first)
    ? -first.sampleCount
    : 0;
  let searchable = maxDamageByteLength;
  let offset = start;
  while (offset < reader.byteLength) {
    const frame = readMp3Frame(await reader.read(offset, 4), 0);
    if (frame === null || frame.sampleRate !== first.sampleRate) {
      const next = await findFrames(reader, offset + 1, offset + searchable);
      if (next === null) break;
      searchable -= next.offset - offset;
      offset = next.offset;
      continue;
    }
    // A frame cut by the end of the file can't be heard.
    if (offset + frame.byteLength <= reader.byteLength) sampleCount += frame.sampleCount;
    offset += frame.byteLength;
    await pause();
  }
  return Math.max(sampleCount, 0);
}
