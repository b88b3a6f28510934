import type { KnownAudio } from "../audio-ids.js";

export const audioFormats = ["wav", "aac", "mp3", "flac", "opus", "pcm16"] as const;
export type AudioFormat = (typeof audioFormats)[number];

export const messageRoles = ["system", "developer", "user", "assistant", "tool", "function"] as const;
export type MessageRole = (typeof messageRoles)[number];

/** A request that has passed every check. */
export interface ChatRequest {
  deployment: string;
  messages: ChatMessage[];
  output: ChatOutput;
  stream: boolean;
  includeUsage: boolean;
  includeObfuscation: boolean;
  /** Null: no limit. */
  maxTokens: number | null;
}

export type ChatOutput = SpokenOutput | { kind: "text" };
export interface SpokenOutput {
  kind: "audio";
  voice: string;
  format: AudioFormat;
}

export interface ChatMessage {
  role: MessageRole;
  /** All text of the message; for a spoken answer referred to by its id, what was said. */
  text: string;
  clips: InputClip[];
  /** The earlier answer that the message refers to by its audio id. */
  spoken: KnownAudio | null;
}

export interface InputClip {
  format: "wav" | "mp3";
  bytes: Uint8Array;
  durationMs: number;
}
