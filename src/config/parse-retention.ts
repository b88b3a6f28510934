import type { RetentionConfig } from "./config.js";
import type { SettingName } from "./setting-names.js";
import type { SettingReader } from "./setting-reader.js";

/** A hundred years: a date so far back that both databases can hold it. */
export const maxRetentionDays = 36_500;

export function parseRetention(read: SettingReader): RetentionConfig {
  return {
    audioDays: days(read, "RETENTION_AUDIO_DAYS"),
    textDays: days(read, "RETENTION_TEXT_DAYS"),
  };
}

function days(read: SettingReader, name: SettingName): number | null {
  if (read.text(name) === null) return null;
  return read.integer(name, { default: maxRetentionDays, min: 1, max: maxRetentionDays });
}
