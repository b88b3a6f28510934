import type { MonoSound } from "./wav-samples.js";

export const heardSampleRate = 16_000;

/** Zero crossings of the sinc on either side, at the lower one of the two rates. */
const zeroCrossings = 16;
/** Where the filter begins to fall, as a share of half the lower rate. */
const passBand = 0.94;
const stepsPerCrossing = 64;

/** The sound at 16 kHz, 16 bit: each output sample is a windowed sinc over the input around it. */
export function resampleTo16k({ sampleRate, samples }: MonoSound): Int16Array {
  const scale = passBand * Math.min(1, heardSampleRate / sampleRate);
  const reach = zeroCrossings / scale;
  const output = new Int16Array(Math.floor((samples.length * heardSampleRate) / sampleRate));
  for (let index = 0; index < output.length; index += 1) {
    const centre = (index * sampleRate) / heardSampleRate;
    const last = Math.min(samples.length - 1, Math.floor(centre + reach));
    let sum = 0;
    for (let at = Math.max(0, Math.ceil(centre - reach)); at <= last; at += 1) {
      const step = Math.round(Math.abs(at - centre) * scale * stepsPerCrossing);
      sum += (samples[at] ?? 0) * (kernel[step] ?? 0);
    }
    output[index] = Math.max(-32_768, Math.min(32_767, Math.round(sum * scale * 32_767)));
  }
  return output;
}

/** One side of a sinc under Hann's window. */
const kernel = Float32Array.from({ length: zeroCrossings * stepsPerCrossing + 1 }, (_, index) => {
  const distance = index / stepsPerCrossing;
  const sinc = distance === 0 ? 1 : Math.sin(Math.PI * distance) / (Math.PI * distance);
  return sinc * (0.5 + 0.5 * Math.cos((Math.PI * distance) / zeroCrossings));
});
