import type { LimitsConfig } from "./config.js";
import type { SettingReader } from "./setting-reader.js";

/** Where nobody signs in, everybody is one viewer: the bounds of a viewer are then those of the server. */
export function parseLimits(read: SettingReader, { signIn }: { signIn: boolean }): LimitsConfig {
  const maxRunning = read.integer("MAX_RUNNING_TURNS", { default: 64, min: 1, max: 10_000 });
  const ofViewer = signIn ? Math.min(8, maxRunning) : maxRunning;
  return {
    turns: {
      maxRunning,
      maxRunningPerViewer: read.integer("MAX_RUNNING_TURNS_PER_VIEWER", {
        default: ofViewer,
        min: 1,
        max: 10_000,
      }),
      maxActivePerViewer: read.integer("MAX_ACTIVE_TURNS_PER_VIEWER", {
        default: signIn ? 100 : 1_000,
        min: 1,
        max: 1_000_000,
      }),
    },
  };
}
