import { invalidRequest, invalidType, invalidValue, missingParameter } from "../protocol-error.js";
import { measureAudio } from "./audio-bytes.js";
import type { InputClip } from "./chat-request.js";
import { isOneOf, optionalObject, type JsonObject } from "./json.js";

const maxAudioBytes = 20 * 1024 * 1024;
const base64Text = /^[A-Za-z0-9+/]*={0,2}$/;
const inputFormats = ["wav", "mp3"] as const;

/** Checks one `input_audio` part; `path` names it in errors. */
export function readInputAudio(part: JsonObject, path: string): InputClip {
  const audio = optionalObject(part, "input_audio", `${path}.input_audio`);
  if (audio === null) throw missingParameter(`${path}.input_audio`);
  const format = audio["format"];
  if (format === undefined) throw missingParameter(`${path}.input_audio.format`);
  if (!isOneOf(format, inputFormats)) throw invalidValue(`${path}.input_audio.format`, format, inputFormats);
  const bytes = decodeAudio(audio["data"], `${path}.input_audio.data`);
  const measured = measureAudio(bytes);
  if (measured?.format !== format) {
    throw invalidRequest(
      "This model does not support the format you provided.",
      `${path}.input_audio`,
      "unsupported_format",
    );
  }
  return { format, bytes, durationMs: measured.durationMs };
}

function decodeAudio(data: unknown, path: string): Uint8Array {
  if (data === undefined) throw missingParameter(path);
  if (typeof data !== "string") throw invalidType(path, "a base64-encoded string");
  if (Math.floor((data.length * 3) / 4) - 2 > maxAudioBytes) throw tooLarge(path);
  if (data === "" || data.length % 4 !== 0 || !base64Text.test(data)) {
    const message = `Invalid '${path}': expected a base64-encoded string without a data: prefix.`;
    throw invalidRequest(message, path, "invalid_value");
  }
  const bytes = Buffer.from(data, "base64");
  if (bytes.byteLength > maxAudioBytes) throw tooLarge(path);
  return bytes;
}

function tooLarge(path: string) {
  const message = `Invalid '${path}': audio file too large. Expected at most ${maxAudioBytes} bytes.`;
  return invalidRequest(message, path, "audio_too_large");
}
