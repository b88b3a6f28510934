import type { LimitsConfig, RatesConfig, TurnLimits } from "./config.js";
import type { SettingName } from "./setting-names.js";
import type { SettingReader } from "./setting-reader.js";

export interface SignIn {
  /** Whether people sign in. Where nobody does, everybody is one viewer, whom nothing bounds but the server itself. */
  signIn: boolean;
}

export function parseLimits(read: SettingReader, { signIn }: SignIn): LimitsConfig {
  return {
    turns: parseTurns(read, { signIn }),
    rates: parseRates(read, { signIn }),
    connections: {
      max: read.integer("MAX_CONNECTIONS", { default: 10_000, min: 10, max: 1_000_000 }),
      // Behind a proxy all come from its address.
      maxPerAddress: read.bound("MAX_CONNECTIONS_PER_ADDRESS", { default: null, max: 1_000_000 }),
    },
  };
}

function parseTurns(read: SettingReader, { signIn }: SignIn): TurnLimits {
  const maxRunning = read.integer("MAX_RUNNING_TURNS", { default: 64, min: 1, max: 10_000 });
  const ofViewer = signIn ? Math.min(8, maxRunning) : maxRunning;
  const [perViewer, active] = ["MAX_RUNNING_TURNS_PER_VIEWER", "MAX_ACTIVE_TURNS_PER_VIEWER"] as const;
  return {
    maxRunning,
    maxRunningPerViewer: read.integer(perViewer, { default: ofViewer, min: 1, max: 10_000 }),
    maxActivePerViewer: read.integer(active, { default: signIn ? 100 : 1_000, min: 1, max: 1_000_000 }),
  };
}

/** `TURNS` of `RATE_TURNS_PER_MINUTE`. */
type RateName = SettingName extends infer Name
  ? Name extends `RATE_${infer Rate}_PER_MINUTE`
    ? Rate
    : never
  : never;

/** An address may be that of many people behind one router. */
function parseRates(read: SettingReader, { signIn }: SignIn): RatesConfig {
  const bound = (name: RateName, standard: number) =>
    read.bound(`RATE_${name}_PER_MINUTE`, { default: signIn ? standard : null, max: 1_000_000 });
  return {
    viewer: { turns: bound("TURNS", 60), uploads: bound("UPLOADS", 60), reads: bound("READS", 1_200) },
    address: {
      turns: bound("ADDRESS_TURNS", 600),
      uploads: bound("ADDRESS_UPLOADS", 600),
      reads: bound("ADDRESS_READS", 12_000),
      failedSignIns: bound("ADDRESS_FAILED_SIGN_INS", 20),
    },
  };
}
