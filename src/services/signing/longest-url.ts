import type { AudioConfig } from "../../config/config.js";
import { uploadLifetimeMs } from "../uploads/audio-uploads.js";

/** The longest time that any signed URL is good for, in milliseconds. */
export function longestUrlMs({ urlTtlMs }: AudioConfig): number {
  return Math.max(2 * urlTtlMs, uploadLifetimeMs);
}
