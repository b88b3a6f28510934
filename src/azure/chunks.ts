import { type Base64Rest, decodeBase64, noRest } from "./base64.js";
import type { AnswerChunk, WireUsage } from "./chunk-schema.js";
import type { ModelEvent, TokenUsage } from "./types.js";

/** What is known of an answer so far; the words and the sound themselves have been handed on. */
export interface AnswerState {
  readonly model: string | null;
  readonly completionId: string | null;
  readonly finishReason: string | null;
  readonly providerAudioId: string | null;
  readonly providerAudioExpiresAt: Date | null;
  readonly usage: TokenUsage | null;
  /** Null where the provider told no usage. */
  readonly completionTokens: number | null;
  /** An id, a transcript or sound came: it is a spoken answer. */
  readonly spoken: boolean;
  readonly textSeen: boolean;
  readonly audioByteLength: number;
  readonly rest: Base64Rest;
}

export const emptyAnswer: AnswerState = {
  model: null,
  completionId: null,
  finishReason: null,
  providerAudioId: null,
  providerAudioExpiresAt: null,
  usage: null,
  completionTokens: null,
  spoken: false,
  textSeen: false,
  audioByteLength: 0,
  rest: noRest,
};

export interface ReadChunk {
  state: AnswerState;
  events: ModelEvent[];
}

type Delta = NonNullable<NonNullable<AnswerChunk["choices"]>[number]["delta"]>;
type Audio = NonNullable<Delta["audio"]>;

/**
 * The state after a chunk, and what the chunk brought. Sound comes in whole frames of `frameByteLength`. Throws
 * UnreadableAnswer for sound that is no base64.
 */
export function readChunk(before: AnswerState, chunk: AnswerChunk, frameByteLength: number): ReadChunk {
  const choice = chunk.choices?.[0];
  const delta = choice?.delta ?? choice?.message;
  const state = readEnvelope(before, chunk, choice?.finish_reason);
  const written = textEvents(delta);
  const afterText = { ...state, textSeen: state.textSeen || written.length > 0 };
  if (delta?.audio == null) return { state: afterText, events: written };
  const spoken = readAudio(afterText, delta.audio, frameByteLength);
  return { state: spoken.state, events: [...written, ...spoken.events] };
}

// The first chunk that Azure sends about the prompt has an empty id and model: an empty name is no name.
function readEnvelope(
  before: AnswerState,
  chunk: AnswerChunk,
  finishReason: string | null | undefined,
): AnswerState {
  return {
    ...before,
    model: before.model ?? (chunk.model || null),
    completionId: before.completionId ?? (chunk.id || null),
    // Once filtered, filtered: whatever else the provider says of the end.
    finishReason:
      before.finishReason === "content_filter" ? before.finishReason : finishReason || before.finishReason,
    usage: chunk.usage == null ? before.usage : readUsage(chunk.usage),
    completionTokens: chunk.usage?.completion_tokens ?? before.completionTokens,
  };
}

/** A refusal is what the model says instead of an answer: text like any other. */
function textEvents(delta: Delta | null | undefined): ModelEvent[] {
  return [delta?.content, delta?.refusal].flatMap((words) => (words ? [{ type: "text", delta: words }] : []));
}

function readAudio(before: AnswerState, audio: Audio, frameByteLength: number): ReadChunk {
  const { bytes, rest } = decodeBase64(before.rest, audio.data ?? "", frameByteLength);
  const events: ModelEvent[] = [];
  if (audio.transcript) events.push({ type: "transcript", delta: audio.transcript });
  if (bytes.byteLength > 0) events.push({ type: "audio", bytes });
  const state = {
    ...before,
    spoken: before.spoken || Boolean(audio.id) || Boolean(audio.transcript) || Boolean(audio.data),
    providerAudioId: before.providerAudioId ?? (audio.id || null),
    providerAudioExpiresAt: readInstant(audio.expires_at) ?? before.providerAudioExpiresAt,
    audioByteLength: before.audioByteLength + bytes.byteLength,
    rest,
  };
  return { state, events };
}

function readInstant(seconds: number | null | undefined): Date | null {
  return seconds == null ? null : new Date(seconds * 1_000);
}

function readUsage(usage: WireUsage): TokenUsage {
  const prompt = usage.prompt_tokens_details;
  const completion = usage.completion_tokens_details;
  const inputAudio = prompt?.audio_tokens ?? 0;
  const outputAudio = completion?.audio_tokens ?? 0;
  return {
    inputText: prompt?.text_tokens ?? Math.max(0, (usage.prompt_tokens ?? 0) - inputAudio),
    inputAudio,
    cachedInput: prompt?.cached_tokens ?? 0,
    outputText: completion?.text_tokens ?? Math.max(0, (usage.completion_tokens ?? 0) - outputAudio),
    outputAudio,
  };
}
