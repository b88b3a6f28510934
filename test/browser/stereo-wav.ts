import { wavHeader, wavHeaderByteLength } from "../../src/services/audio/formats/wav-header.js";

/** A 24 kHz mono WAV with a 44-byte header as one of 48 kHz with two channels: each sample four times. */
export function encodeChannels(mono: Uint8Array): Uint8Array {
  const from = Buffer.from(mono.subarray(wavHeaderByteLength));
  const samples = Buffer.alloc(from.byteLength * 4);
  for (let offset = 0; offset < from.byteLength; offset += 2)
    for (let copy = 0; copy < 4; copy += 1)
      samples.writeInt16LE(from.readInt16LE(offset), offset * 4 + copy * 2);
  const header = wavHeader({
    sampleRate: 48_000,
    channels: 2,
    bitsPerSample: 16,
    dataByteLength: samples.byteLength,
  });
  return Buffer.concat([header, samples]);
}
