import { measureMp3 } from "./mp3-bytes.js";

export interface MeasuredAudio {
  format: "wav" | "mp3";
  durationMs: number;
}

/** What the bytes are, whatever they were called; null for anything but WAV and MP3. */
export function measureAudio(bytes: Uint8Array): MeasuredAudio | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (fourCharacters(view, 0) === "RIFF" && fourCharacters(view, 8) === "WAVE") return measureWav(view);
  const durationMs = measureMp3(view);
  return durationMs === null ? null : { format: "mp3", durationMs };
}

function measureWav(view: DataView): MeasuredAudio | null {
  let bytesPerSecond = 0;
  for (const chunk of riffChunks(view)) {
    if (chunk.name === "fmt " && chunk.byteLength >= 16) {
      bytesPerSecond = view.getUint32(chunk.start + 8, true);
    }
    if (chunk.name === "data") {
      if (bytesPerSecond === 0 || chunk.byteLength === 0) return null;
      return { format: "wav", durationMs: Math.round((chunk.byteLength * 1000) / bytesPerSecond) };
    }
  }
  return null;
}

interface RiffChunk {
  name: string;
  start: number;
  byteLength: number;
}

/** Sizes that reach past the end (a streamed file says 0xFFFFFFFF) are cut to what is there. */
function* riffChunks(view: DataView): Generator<RiffChunk> {
  let offset = 12;
  while (offset + 8 <= view.byteLength) {
    const start = offset + 8;
    const byteLength = Math.min(view.getUint32(offset + 4, true), view.byteLength - start);
    yield { name: fourCharacters(view, offset), start, byteLength };
    offset = start + byteLength + (byteLength % 2);
  }
}

function fourCharacters(view: DataView, offset: number): string {
  if (offset + 4 > view.byteLength) return "";
  return String.fromCharCode(...[0, 1, 2, 3].map((index) => view.getUint8(offset + index)));
}
