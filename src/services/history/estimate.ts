/** The model's measured rates: user sound is billed at 10 tokens a second, assistant sound at 20, in and out. */
const userTokensPerSecond = 10;
const assistantTokensPerSecond = 20;
/** Roles and separators of a chat message. */
const tokensPerMessage = 4;

/** By rule of thumb: four ASCII characters a token, one token for each other character. Errs on the high side. */
export function textTokens(text: string): number {
  let ascii = 0;
  let other = 0;
  for (const character of text) {
    if (character.charCodeAt(0) < 128) ascii += 1;
    else other += 1;
  }
  return Math.ceil(ascii / 4) + other;
}

export function messageTokens(text: string): number {
  return textTokens(text) + tokensPerMessage;
}

export function userSoundTokens(durationMs: number): number {
  return Math.ceil((durationMs / 1000) * userTokensPerSecond);
}

export function assistantSoundTokens(durationMs: number): number {
  return Math.ceil((durationMs / 1000) * assistantTokensPerSecond);
}

// 8 kHz mono 8-bit: as long as sound of unknown duration can reasonably be.
const slowestBytesPerSecond = 8_000;

/** The duration, or the longest that the bytes can reasonably hold where it could not be told. */
export function durationOrBound(sound: { durationMs: number | null; byteLength: number }): number {
  return sound.durationMs ?? (sound.byteLength / slowestBytesPerSecond) * 1000;
}

// 8 kbps: no encoder of speech is asked for less.
const slowestAnswerBytesPerSecond = 1_000;

/** The same of an answer, which is compressed where its length can't be told. */
export function answerDurationOrBound(sound: { durationMs: number | null; byteLength: number }): number {
  return sound.durationMs ?? (sound.byteLength / slowestAnswerBytesPerSecond) * 1000;
}
