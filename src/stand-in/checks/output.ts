import { invalidRequest, invalidType, invalidValue, missingParameter } from "../protocol-error.js";
import { audioFormats, type ChatOutput } from "./chat-request.js";
import { isOneOf, optionalBoolean, optionalObject, type JsonObject } from "./json.js";

const modalityNames = ["text", "audio"] as const;

/** Reads `modalities` and `audio`: what the answer shall be made of. */
export function readOutput(body: JsonObject, voices: readonly string[]): ChatOutput {
  const modalities = readModalities(body);
  if (!modalities.includes("audio")) return { kind: "text" };
  const audio = optionalObject(body, "audio");
  if (audio === null) throw missingParameter("audio");
  const voice = audio["voice"];
  if (voice === undefined) throw missingParameter("audio.voice");
  if (!isOneOf(voice, voices)) throw invalidValue("audio.voice", voice, voices);
  const format = audio["format"];
  if (format === undefined) throw missingParameter("audio.format");
  if (!isOneOf(format, audioFormats)) throw invalidValue("audio.format", format, audioFormats);
  return { kind: "audio", voice, format };
}

function readModalities(body: JsonObject): string[] {
  const modalities = body["modalities"] ?? ["text"];
  if (!Array.isArray(modalities)) throw invalidType("modalities", "an array of strings");
  const names = modalities.map((name: unknown, index) => {
    if (isOneOf(name, modalityNames)) return name;
    throw invalidValue(`modalities[${index}]`, name, modalityNames);
  });
  if (names.includes("text")) return names;
  throw invalidRequest(
    `Invalid value: ${JSON.stringify(names)}. Supported combinations are: ['text'] and ['text', 'audio'].`,
    "modalities",
    "invalid_value",
  );
}

export interface StreamChoice {
  stream: boolean;
  includeUsage: boolean;
  includeObfuscation: boolean;
}

export function readStreamChoice(body: JsonObject, output: ChatOutput): StreamChoice {
  const stream = optionalBoolean(body, "stream") ?? false;
  const options = optionalObject(body, "stream_options");
  if (options !== null && !stream) {
    const message = "The 'stream_options' parameter is only allowed when 'stream' is enabled.";
    throw invalidRequest(message, "stream_options", null);
  }
  if (stream && output.kind === "audio" && output.format !== "pcm16") {
    throw invalidRequest(
      `Unsupported value: 'audio.format' does not support '${output.format}' when stream=true. Supported values are: 'pcm16'.`,
      "audio.format",
      "unsupported_value",
    );
  }
  return {
    stream,
    includeUsage: flag(options, "include_usage", false),
    includeObfuscation: flag(options, "include_obfuscation", true),
  };
}

function flag(options: JsonObject | null, name: string, fallback: boolean): boolean {
  if (options === null) return fallback;
  return optionalBoolean(options, name, `stream_options.${name}`) ?? fallback;
}
