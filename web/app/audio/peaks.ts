/** One peak stands for so much sound, in seconds. */
const secondsOfPeak = 0.05;

/** How loud a sound is, piece by piece, also while it grows. */
export class PeakMeter {
  readonly #samplesOfPeak: number;
  readonly #peaks: number[] = [];
  #counted = 0;

  constructor(sampleRate: number) {
    this.#samplesOfPeak = Math.round(sampleRate * secondsOfPeak);
  }

  /** Adds samples of -1 to 1, or of as much as `full` says. */
  add(samples: Float32Array | Int16Array, full = 1): void {
    for (const sample of samples) {
      const index = Math.floor(this.#counted / this.#samplesOfPeak);
      const peak = Math.abs(sample) / full;
      if (peak > (this.#peaks[index] ?? -1)) this.#peaks[index] = peak;
      this.#counted += 1;
    }
  }

  /** So many bars of 0 to 1 for the whole of it. */
  bars(count: number): number[] {
    return barsOf(this.#peaks, count);
  }
}

/**
 * So many bars for any number of peaks: each the loudest of its part, the loudest of all being 1. All 0 for silence.
 */
export function barsOf(peaks: readonly number[], count: number): number[] {
  const loudest = loudestOf(peaks);
  return Array.from({ length: count }, (_, index) => {
    if (loudest === 0) return 0;
    const from = Math.floor((index * peaks.length) / count);
    const to = Math.max(from + 1, Math.floor(((index + 1) * peaks.length) / count));
    return loudestOf(peaks.slice(from, to)) / loudest;
  });
}

function loudestOf(peaks: readonly number[]): number {
  return peaks.reduce((loudest, peak) => Math.max(loudest, peak), 0);
}
