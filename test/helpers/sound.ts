import { createHash } from "node:crypto";
import { join } from "node:path";
import { wavHeader } from "../../src/services/audio/formats/wav-header.js";
import { entriesUnder, isSoundFile } from "./files.js";
import type { Clip } from "./operations.js";
import type { TestParley } from "./parley.js";

/** A WAV file, 24 kHz mono 16-bit. Another frequency is another message. */
export function spokenWav(durationMs = 1_000, frequencyHz = 440): Uint8Array {
  const samples = Int16Array.from({ length: durationMs * 24 }, (_, index) =>
    Math.round(8_000 * Math.sin((2 * Math.PI * frequencyHz * index) / 24_000)),
  );
  const dataByteLength = samples.byteLength;
  const header = wavHeader({ sampleRate: 24_000, channels: 1, bitsPerSample: 16, dataByteLength });
  return Buffer.concat([header, new Uint8Array(samples.buffer)]);
}

export function sha256Of(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** The bytes that the clip's URL serves. */
export async function download(clip: Clip | null | undefined): Promise<Buffer> {
  if (clip == null) throw new Error("There is no clip to download.");
  const response = await fetch(clip.url);
  if (response.status !== 200) throw new Error(`The clip's URL answers ${response.status}.`);
  return Buffer.from(await response.arrayBuffer());
}

/** The paths of all files of sound that the server keeps, drafts included; the mark of the store is none. */
export async function keptSoundFiles(parley: TestParley): Promise<string[]> {
  const entries = await entriesUnder(join(parley.dataDir, "audio"));
  return entries.filter(isSoundFile).map(({ path }) => path);
}
