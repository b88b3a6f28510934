// Passes up to 10.5 kHz and stops from 12 kHz on, where 48 kHz sound would fold over at 24 kHz.
const tapCount = 141;
const delay = (tapCount - 1) / 2;
const cutoffPerSample = 11_250 / 48_000;
const kaiserBeta = 6.76;

const taps = lowPassTaps();

/**
 * Turns 48 kHz into 24 kHz: a low-pass of linear phase of which only every second value is computed. What would fold
 * over is damped by 65 dB or more. Output sample n is in time with input sample 2n; sound is taken to be
 * silent before its start and after its end.
 */
export class HalfRateResampler {
  // The input from the first tap of the next output on; begins with the silence before the start.
  #pending = new Float32Array(delay);

  /** The output that the input so far determines. */
  push(input: Float32Array): Float32Array {
    const samples = new Float32Array(this.#pending.length + input.length);
    samples.set(this.#pending);
    samples.set(input, this.#pending.length);
    const count = Math.max(0, Math.floor((samples.length - tapCount) / 2) + 1);
    const output = new Float32Array(count);
    for (let index = 0; index < count; index += 1) output[index] = filtered(samples, 2 * index);
    this.#pending = samples.slice(2 * count);
    return output;
  }

  /** The rest of the output. The resampler is not used afterwards. */
  flush(): Float32Array {
    return this.push(new Float32Array(delay));
  }
}

// The taps are symmetric, so that each serves two samples.
function filtered(samples: Float32Array, start: number): number {
  const last = start + tapCount - 1;
  let sum = (taps[delay] ?? 0) * (samples[start + delay] ?? 0);
  for (let tap = 0; tap < delay; tap += 1) {
    sum += (taps[tap] ?? 0) * ((samples[start + tap] ?? 0) + (samples[last - tap] ?? 0));
  }
  return sum;
}

// A sinc under a Kaiser window, scaled so that a constant passes unchanged.
function lowPassTaps(): Float64Array {
  const values = Float64Array.from({ length: tapCount }, (_, tap) => {
    const time = tap - delay;
    const angle = 2 * Math.PI * cutoffPerSample * time;
    const sinc = time === 0 ? 1 : Math.sin(angle) / angle;
    return sinc * besselI0(kaiserBeta * Math.sqrt(1 - (time / delay) ** 2));
  });
  const sum = values.reduce((total, value) => total + value, 0);
  return values.map((value) => value / sum);
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
