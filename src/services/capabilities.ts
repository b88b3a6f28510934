import type { Config } from "../config/config.js";
import { audioFormats } from "./audio/clip-format.js";
import type { AudioFormat } from "./audio/clip-format.js";
import { inputMimeTypes } from "./audio/formats/unsupported.js";

export interface Capabilities {
  provider: "AZURE" | "STAND_IN";
  voices: readonly string[];
  inputMimeTypes: readonly string[];
  outputFormats: readonly AudioFormat[];
  maxAudioBytes: number;
  maxBase64Bytes: number;
  maxReplyTokens: number | null;
}

export function capabilitiesOf(config: Config): Capabilities {
  return {
    provider: config.model.provider === "azure" ? "AZURE" : "STAND_IN",
    voices: config.voices.all,
    inputMimeTypes,
    outputFormats: audioFormats,
    maxAudioBytes: config.audio.maxBytes,
    maxBase64Bytes: config.audio.maxBase64Bytes,
    maxReplyTokens: config.replies.maxTokens,
  };
}
