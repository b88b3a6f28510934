import type { CompletionRequest, ModelAudioFormat, ModelMessage, UserPart } from "../../azure/types.js";
import type { AudioStore } from "../../storage/audio-store.js";
import type { AudioFormat } from "../audio/clip-format.js";
import type { PlannedMessage, RequestPlan } from "../history/types.js";
import { boundedTokens } from "./reply.js";
import type { ReplySettings } from "./reply.js";

/** Sound of these formats is streamed as samples and made into a file here; the others are asked for whole. */
const modelFormats: Readonly<Record<AudioFormat, ModelAudioFormat>> = {
  WAV: "pcm16",
  PCM16: "pcm16",
  MP3: "mp3",
  FLAC: "flac",
  OPUS: "opus",
  AAC: "aac",
};

export function toCompletionRequest(
  plan: RequestPlan,
  reply: ReplySettings,
  store: AudioStore,
  maxReplyTokens: number | null,
): CompletionRequest {
  const format = plan.dropSound ? "pcm16" : modelFormats[reply.format];
  return {
    messages: plan.messages.map((message) => toModelMessage(message, store)),
    output: plan.askForSound ? { kind: "audio", voice: reply.voice, format } : { kind: "text" },
    maxTokens: boundedTokens(reply.maxTokens, maxReplyTokens),
    temperature: reply.temperature,
  };
}

function toModelMessage(message: PlannedMessage, store: AudioStore): ModelMessage {
  switch (message.role) {
    case "system":
      return message;
    case "assistant":
      return "text" in message ? message : { role: "assistant", providerAudioId: message.providerAudioId };
    case "user":
      return { role: "user", parts: userParts(message, store) };
  }
}

function userParts(
  { text, sound }: Extract<PlannedMessage, { role: "user" }>,
  store: AudioStore,
): UserPart[] {
  const parts: UserPart[] = text === null ? [] : [{ type: "text", text }];
  if (sound === null) return parts;
  const { storageKey, format, byteLength } = sound;
  const open = async () => {
    const bytes = await store.read(storageKey);
    if (bytes === null) throw new Error(`the audio store has lost ${storageKey}`);
    return bytes;
  };
  return [...parts, { type: "audio", format, byteLength, open }];
}
