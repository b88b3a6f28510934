/** The voice names that the provider lists. */
export const providerVoices = [
  "alloy",
  "ash",
  "ballad",
  "cedar",
  "coral",
  "echo",
  "fable",
  "marin",
  "nova",
  "onyx",
  "sage",
  "shimmer",
  "verse",
] as const;

/** How flite speaks as one of the provider's voices. */
export interface FliteVoice {
  base: "slt" | "rms" | "awb" | "kal16";
  /** Mean pitch; null leaves the base voice's own. */
  pitchHz: number | null;
  /** 1.1 is ten per cent faster than the base voice. */
  rate: number;
}

const voices: Record<(typeof providerVoices)[number], FliteVoice> = {
  alloy: { base: "slt", pitchHz: null, rate: 1 },
  ash: { base: "awb", pitchHz: 105, rate: 1.05 },
  ballad: { base: "rms", pitchHz: 120, rate: 0.92 },
  cedar: { base: "kal16", pitchHz: 88, rate: 0.95 },
  coral: { base: "slt", pitchHz: 160, rate: 1.03 },
  echo: { base: "rms", pitchHz: null, rate: 1 },
  fable: { base: "awb", pitchHz: null, rate: 1 },
  marin: { base: "slt", pitchHz: 178, rate: 0.94 },
  nova: { base: "slt", pitchHz: 190, rate: 1.12 },
  onyx: { base: "rms", pitchHz: 85, rate: 0.95 },
  sage: { base: "awb", pitchHz: 150, rate: 0.96 },
  shimmer: { base: "slt", pitchHz: 205, rate: 1.05 },
  verse: { base: "kal16", pitchHz: null, rate: 1 },
};

const bases = ["slt", "rms", "awb", "kal16"] as const;

/** A name beyond the provider's list (a configured one) gets a voice of its own, the same one every time. */
export function fliteVoice(name: string): FliteVoice {
  const listed = Object.entries(voices).find(([listedName]) => listedName === name)?.[1];
  return listed ?? inventedVoice(name);
}

function inventedVoice(name: string): FliteVoice {
  const hash = Buffer.from(name).reduce((sum, byte) => (sum * 31 + byte) % 65_521, 7);
  return { base: bases[hash % 4] ?? "slt", pitchHz: 95 + (hash % 97), rate: 0.9 + (hash % 23) / 100 };
}

export function fliteArguments(voice: FliteVoice): string[] {
  const settings = ["-voice", voice.base, "--setf", `duration_stretch=${(1 / voice.rate).toFixed(3)}`];
  return voice.pitchHz === null ? settings : [...settings, "--setf", `int_f0_target_mean=${voice.pitchHz}`];
}
