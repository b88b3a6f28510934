/** Answers in the order and with the gaps that recorded streams have; made up, a tenth of a second of sound. */

const named = { id: "chatcmpl-1", object: "chat.completion.chunk", model: "gpt-audio-1.5", usage: null };
export const expiresAt = 1_900_000_000;

export const usage = {
  prompt_tokens: 18,
  completion_tokens: 24,
  total_tokens: 42,
  prompt_tokens_details: { cached_tokens: 2, audio_tokens: 7, text_tokens: 11, image_tokens: 0 },
  completion_tokens_details: { reasoning_tokens: 0, audio_tokens: 19, text_tokens: 5 },
};

export function delta(content: object, finishReason?: string | null): object {
  const choice = { index: 0, delta: content };
  return {
    ...named,
    choices: [finishReason === undefined ? choice : { ...choice, finish_reason: finishReason }],
  };
}

/** A chunk without any choices key: most chunks of a spoken answer are. */
export const gap = named;
export const usageChunk = { ...named, choices: [], usage };
export const ending = delta({ audio: { expires_at: expiresAt } });

/** 4,800 bytes of PCM in which no two samples near each other are equal. */
export const pcm = Buffer.from(
  Uint8Array.from({ length: 4_800 }, (_, index) => (index * 7 + (index >> 8)) % 256),
);

export function audioChunk(bytes: Uint8Array, withId = false): object {
  const data = Buffer.from(bytes).toString("base64");
  return delta({ audio: withId ? { id: "audio_1", data } : { data } }, null);
}

export function spokenChunks(): object[] {
  return [
    delta({ role: "assistant", refusal: null }, null),
    delta({ content: null, audio: { id: "audio_1", transcript: "Hel" } }, null),
    gap,
    delta({ audio: { transcript: "lo " } }, null),
    gap,
    gap,
    audioChunk(pcm.subarray(0, 1_921), true),
    delta({ audio: { transcript: "there." } }, null),
    audioChunk(pcm.subarray(1_921, 2_000)),
    gap,
    audioChunk(pcm.subarray(2_000)),
    usageChunk,
    ending,
  ];
}

export function textChunks(words: string[], finishReason: string | null = "stop"): object[] {
  return [
    delta({ role: "assistant", content: "", refusal: null }, null),
    ...words.map((content) => delta({ content }, null)),
    delta({}, finishReason),
    usageChunk,
  ];
}
