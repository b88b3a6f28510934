import { invalidRequest, invalidType, invalidValue, missingParameter } from "../protocol-error.js";
import { messageRoles, type ChatMessage, type MessageRole } from "./chat-request.js";
import { readInputAudio } from "./input-audio.js";
import { isObject, isOneOf, optionalObject, type JsonObject } from "./json.js";
import type { KnownAudio } from "../audio-ids.js";

/** Finds an earlier answer by its audio id; null where the id is unknown or has expired. */
export type FindAudio = (id: string) => KnownAudio | null;

export function readMessages(body: JsonObject, findAudio: FindAudio): ChatMessage[] {
  const messages = body["messages"];
  if (messages === undefined) throw missingParameter("messages");
  if (!Array.isArray(messages)) throw invalidType("messages", "an array of objects");
  if (messages.length === 0) {
    const message =
      "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an empty array instead.";
    throw invalidRequest(message, "messages", "empty_array");
  }
  return messages.map((message: unknown, index) => readMessage(message, index, findAudio));
}

function readMessage(message: unknown, index: number, findAudio: FindAudio): ChatMessage {
  const path = `messages[${index}]`;
  if (!isObject(message)) throw invalidType(path, "an object");
  const role = message["role"];
  if (role === undefined) throw missingParameter(`${path}.role`);
  if (!isOneOf(role, messageRoles)) throw invalidValue(`${path}.role`, role, messageRoles);
  const spoken = role === "assistant" ? readSpoken(message, index, findAudio) : null;
  const content = message["content"] ?? null;
  if (content === null) return withoutContent(message, role, path, spoken);
  return { role, ...readContent(content, role, path), spoken };
}

function withoutContent(
  message: JsonObject,
  role: MessageRole,
  path: string,
  spoken: KnownAudio | null,
): ChatMessage {
  if (spoken !== null) return { role, text: spoken.transcript, clips: [], spoken };
  if (role !== "assistant" || !("refusal" in message || "tool_calls" in message)) {
    throw invalidRequest(
      `Invalid value for 'content': expected a string, got null.`,
      `${path}.content`,
      null,
    );
  }
  const refusal = message["refusal"];
  return { role, text: typeof refusal === "string" ? refusal : "", clips: [], spoken };
}

function readSpoken(message: JsonObject, index: number, findAudio: FindAudio): KnownAudio | null {
  const path = `messages[${index}].audio`;
  const audio = optionalObject(message, "audio", path);
  if (audio === null) return null;
  const id = audio["id"];
  if (id === undefined) throw missingParameter(`${path}.id`);
  if (typeof id !== "string") throw invalidType(`${path}.id`, "a string");
  const stranger = Object.keys(audio).find((name) => name !== "id");
  if (stranger !== undefined) {
    const param = `${path}.${stranger}`;
    throw invalidRequest(`Unknown parameter: '${param}'.`, param, "unknown_parameter");
  }
  const known = findAudio(id);
  if (known !== null) return known;
  const message404 = `Assistant audio ${id.slice(0, 100)} not found.`;
  throw invalidRequest(message404, `content.messages[${index}].audio.id`, "audio_not_found");
}

type Content = Pick<ChatMessage, "text" | "clips">;

function readContent(content: unknown, role: MessageRole, path: string): Content {
  if (typeof content === "string") return { text: content, clips: [] };
  if (!Array.isArray(content)) throw invalidType(`${path}.content`, "a string or an array of objects");
  const read: Content = { text: "", clips: [] };
  content.forEach((part: unknown, index) => readPart(part, role, `${path}.content[${index}]`, read));
  return read;
}

const partTypes = {
  user: ["text", "input_audio"],
  assistant: ["text", "refusal"],
  other: ["text"],
} as const;

function readPart(part: unknown, role: MessageRole, path: string, into: Content): void {
  if (!isObject(part)) throw invalidType(path, "an object");
  const type = part["type"];
  const supported = role === "user" || role === "assistant" ? partTypes[role] : partTypes.other;
  if (type === undefined) throw missingParameter(`${path}.type`);
  if (!isOneOf(type, supported)) throw invalidValue(`${path}.type`, type, supported);
  if (type === "input_audio") {
    into.clips.push(readInputAudio(part, path));
    return;
  }
  const text = part[type];
  if (typeof text !== "string") throw invalidType(`${path}.${type}`, "a string");
  into.text += (into.text === "" ? "" : "\n") + text;
}
