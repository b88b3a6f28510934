import { ParleyError } from "../../../errors.js";

/** For `capabilities.inputMimeTypes`. WebM and Ogg are converted to 24 kHz mono WAV. */
export const inputMimeTypes = [
  "audio/wav",
  "audio/mpeg",
  "audio/webm;codecs=opus",
  "audio/ogg;codecs=opus",
] as const;

/** Why bytes are refused. `seen` completes "This is …", or "This looks like …". */
export interface Unsupported {
  kind: "unsupported";
  seen: string;
  reason: UnsupportedReason;
}
export type UnsupportedReason = "aac" | "codec" | "damaged" | "empty" | "unknown";

const accepted = "Accepted are WAV, MP3, WebM with Opus and Ogg with Opus.";
const inTheBrowser =
  "a browser can turn any recording into 24 kHz mono WAV with " +
  "`new OfflineAudioContext(1, 1, 24000).decodeAudioData(recording)` and a 44-byte WAV header";

const advice: Record<UnsupportedReason, string> = {
  aac: `Safari and iOS record AAC: ${inTheBrowser}; an app can record linear PCM (kAudioFormatLinearPCM) into a WAV file.`,
  codec: `Record or export in one of these formats; ${inTheBrowser}.`,
  damaged: "Send the whole file as it was recorded.",
  empty: "Send a recording that holds sound.",
  unknown: "Raw PCM needs a WAV header in front of it.",
};

export function unsupported(reason: UnsupportedReason, seen: string): Unsupported {
  return { kind: "unsupported", reason, seen };
}

export function formatError({ reason, seen }: Unsupported): ParleyError {
  return new ParleyError("AUDIO_FORMAT_UNSUPPORTED", `This audio is ${seen}. ${accepted} ${advice[reason]}`);
}

/** For what a reader of a format finds deep inside a file. */
export function damaged(what: string): ParleyError {
  return formatError(unsupported("damaged", what));
}
