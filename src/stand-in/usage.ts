import type { ChatRequest } from "./checks/chat-request.js";

export const userAudioTokensPerSecond = 10;
export const replayedAudioTokensPerSecond = 20;
export const spokenTokensPerSecond = 20;
const charactersPerToken = 4;
const tokensPerMessage = 4;
const tokensPerReply = 3;

export interface PromptTokens {
  text: number;
  audio: number;
}

/** What an answer has cost so far. */
export interface CompletionTokens {
  text: number;
  audio: number;
}

/** Tokens of a text, by rule of thumb. */
export function textTokens(characters: number): number {
  return Math.ceil(characters / charactersPerToken);
}

export function promptTokens(request: ChatRequest): PromptTokens {
  let text = tokensPerReply;
  let audio = 0;
  for (const message of request.messages) {
    text += tokensPerMessage + textTokens(message.text.length);
    for (const clip of message.clips) audio += tokensOf(clip.durationMs, userAudioTokensPerSecond);
    if (message.spoken !== null) audio += tokensOf(message.spoken.durationMs, replayedAudioTokensPerSecond);
  }
  return { text, audio };
}

function tokensOf(durationMs: number, tokensPerSecond: number): number {
  return Math.ceil((durationMs * tokensPerSecond) / 1000);
}

/** The `usage` object as the provider writes it. */
export function usageBody(prompt: PromptTokens, completion: CompletionTokens): Record<string, unknown> {
  const promptSum = prompt.text + prompt.audio;
  const completionSum = completion.text + completion.audio;
  return {
    prompt_tokens: promptSum,
    completion_tokens: completionSum,
    total_tokens: promptSum + completionSum,
    prompt_tokens_details: {
      cached_tokens: 0,
      audio_tokens: prompt.audio,
      text_tokens: prompt.text,
      image_tokens: 0,
    },
    completion_tokens_details: {
      reasoning_tokens: 0,
      audio_tokens: completion.audio,
      accepted_prediction_tokens: 0,
      rejected_prediction_tokens: 0,
      text_tokens: completion.text,
    },
  };
}
