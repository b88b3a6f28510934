export interface WavHeaderFields {
  sampleRate: number;
  channels: number;
  bitsPerSample: number;
  dataByteLength: number;
}

export const wavHeaderByteLength = 44;
const unknownSize = 0xffff_ffff;

/** The canonical 44 bytes in front of PCM. Throws RangeError where the sound is too long for a WAV file (4 GiB). */
export function wavHeader(fields: WavHeaderFields): Uint8Array {
  const { dataByteLength } = fields;
  const riffByteLength = dataByteLength + (dataByteLength & 1) + wavHeaderByteLength - 8;
  if (!Number.isSafeInteger(dataByteLength) || dataByteLength < 0 || riffByteLength >= unknownSize) {
    throw new RangeError(`A WAV file can't hold ${dataByteLength} bytes of sound.`);
  }
  return headerBytes(fields, riffByteLength, dataByteLength);
}

/** The header of a 24 kHz mono 16-bit clip whose length is not known yet: sizes 0xFFFFFFFF. */
export function growingWavHeader(): Uint8Array {
  const fields = { sampleRate: 24_000, channels: 1, bitsPerSample: 16, dataByteLength: 0 };
  return headerBytes(fields, unknownSize, unknownSize);
}

function headerBytes(fields: WavHeaderFields, riffByteLength: number, dataByteLength: number): Uint8Array {
  const { sampleRate, channels, bitsPerSample } = fields;
  const blockByteLength = (channels * bitsPerSample) / 8;
  const header = Buffer.alloc(wavHeaderByteLength);
  header.write("RIFF", 0, "latin1");
  header.writeUInt32LE(riffByteLength, 4);
  header.write("WAVEfmt ", 8, "latin1");
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(1, 20);
  header.writeUInt16LE(channels, 22);
  header.writeUInt32LE(sampleRate, 24);
  header.writeUInt32LE(sampleRate * blockByteLength, 28);
  header.writeUInt16LE(blockByteLength, 32);
  header.writeUInt16LE(bitsPerSample, 34);
  header.write("data", 36, "latin1");
  header.writeUInt32LE(dataByteLength, 40);
  return new Uint8Array(header);
}
