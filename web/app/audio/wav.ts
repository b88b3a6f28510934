/** Samples a second of what the model takes and gives. */
export const modelSampleRate = 24_000;

export const wavHeaderByteLength = 44;
const fullScale = 0x7fff;

/** A WAV file of mono samples of -1 to 1, as 16-bit PCM. */
export function encodeWav(samples: Float32Array, sampleRate: number): Blob {
  const pcm = new DataView(new ArrayBuffer(samples.length * 2));
  samples.forEach((sample, index) =>
    pcm.setInt16(index * 2, Math.round(Math.max(-1, Math.min(1, sample)) * fullScale), true),
  );
  return wavOf(pcm.buffer, sampleRate);
}

/** A WAV file of mono 16-bit little-endian samples. */
export function wavOf(pcm: ArrayBuffer, sampleRate: number): Blob {
  return new Blob([wavHeader(pcm.byteLength, sampleRate), pcm], { type: "audio/wav" });
}

/** https://en.wikipedia.org/wiki/WAV: a RIFF file with the chunks `fmt ` and `data`. */
function wavHeader(dataByteLength: number, sampleRate: number): ArrayBuffer {
  const view = new DataView(new ArrayBuffer(wavHeaderByteLength));
  const text = (offset: number, letters: string) => {
    for (let index = 0; index < letters.length; index += 1)
      view.setUint8(offset + index, letters.charCodeAt(index));
  };
  text(0, "RIFF");
  view.setUint32(4, wavHeaderByteLength - 8 + dataByteLength, true);
  text(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, sampleRate, true);
  view.setUint32(28, sampleRate * 2, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  text(36, "data");
  view.setUint32(40, dataByteLength, true);
  return view.buffer;
}
