/** Output samples for every `down` input samples. */
const up = 3;
const down = 2;
const tapsPerPhase = 68;
/** Kaiser's parameter for a stop band of about -80 dB. */
const kaiserBeta = 7.86;
/** Of the rate at which the filter runs (48 kHz): the middle of the band between 7.2 kHz, kept, and 8.4 kHz, gone. */
const cutoff = 7800 / 48_000;

/** 16 kHz to 24 kHz: three times the rate with a low-pass, of which every second sample is kept. */
export function resample16kTo24k(input: Int16Array): Int16Array {
  const output = new Int16Array(Math.floor((input.length * up) / down));
  const centre = (tapsPerPhase * up) / 2;
  for (let index = 0; index < output.length; index += 1) {
    const position = index * down + centre;
    const phase = position % up;
    output[index] = clamp(convolve(input, Math.floor(position / up), phases[phase] ?? noTaps));
  }
  return output;
}

function convolve(input: Int16Array, newest: number, taps: Float64Array): number {
  let sum = 0;
  const first = Math.max(0, newest - input.length + 1);
  const last = Math.min(taps.length - 1, newest);
  for (let tap = first; tap <= last; tap += 1) sum += (taps[tap] ?? 0) * (input[newest - tap] ?? 0);
  return sum;
}

function clamp(value: number): number {
  return Math.max(-32_768, Math.min(32_767, Math.round(value)));
}

const noTaps = new Float64Array(0);
const phases = makePhases();

/** A windowed sinc, split so that each phase holds the taps that meet real samples (the others meet zeros). */
function makePhases(): Float64Array[] {
  const length = tapsPerPhase * up;
  const taps = Float64Array.from({ length: length + 1 }, (_, index) => {
    const distance = index - length / 2;
    const sinc =
      distance === 0 ? 1 : Math.sin(2 * Math.PI * cutoff * distance) / (2 * Math.PI * cutoff * distance);
    return up * 2 * cutoff * sinc * kaiser(distance / (length / 2));
  });
  return [0, 1, 2].map((phase) => taps.filter((_, index) => index % up === phase));
}

function kaiser(position: number): number {
  return besselI0(kaiserBeta * Math.sqrt(Math.max(0, 1 - position * position))) / besselI0(kaiserBeta);
}

function besselI0(x: number): number {
  let term = 1;
  let sum = 1;
  for (let k = 1; term > sum * 1e-12; k += 1) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
}
