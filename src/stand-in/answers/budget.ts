import { splitIntoWords } from "../speech/pieces.js";
import { spokenTokensPerSecond, textTokens, type CompletionTokens } from "../usage.js";

/** A part of a spoken answer: the words and their sound (24 kHz mono, 16 bit). */
export interface SpokenPiece {
  words: string;
  pcm: Uint8Array;
}

/** What has been spoken so far, and what it cost. */
export interface Spoken {
  characters: number;
  pcmBytes: number;
  tokens: CompletionTokens;
}

export interface Fitted {
  /** As much of the piece as the limit leaves. */
  piece: SpokenPiece;
  spoken: Spoken;
  /** The limit was reached: nothing may follow. */
  isCut: boolean;
}

export const nothingSpoken: Spoken = { characters: 0, pcmBytes: 0, tokens: { text: 0, audio: 0 } };
const bytesPerToken = (24_000 * 2) / spokenTokensPerSecond;

/**
 * Fits the next piece into `maxTokens` (null: no limit). A cut answer costs exactly the limit, which is how a client
 * of the streamed API learns that it was cut: there is no finish_reason.
 */
export function fitPiece(spoken: Spoken, piece: SpokenPiece, maxTokens: number | null): Fitted {
  const whole = add(spoken, piece);
  const cost = total(whole.tokens);
  if (maxTokens === null || cost <= maxTokens) return { piece, spoken: whole, isCut: false };
  const before = total(spoken.tokens);
  const words = takeWords(piece.words, (maxTokens - before) / (cost - before));
  const characters = spoken.characters + words.length;
  const tokens = { text: Math.min(textTokens(characters), maxTokens), audio: 0 };
  tokens.audio = maxTokens - tokens.text;
  const pcm = piece.pcm.subarray(0, Math.max(0, tokens.audio * bytesPerToken - spoken.pcmBytes));
  const pcmBytes = spoken.pcmBytes + pcm.byteLength;
  return { piece: { words, pcm }, spoken: { characters, pcmBytes, tokens }, isCut: true };
}

function add(spoken: Spoken, piece: SpokenPiece): Spoken {
  const characters = spoken.characters + piece.words.length;
  const pcmBytes = spoken.pcmBytes + piece.pcm.byteLength;
  const tokens = { text: textTokens(characters), audio: Math.ceil(pcmBytes / bytesPerToken) };
  return { characters, pcmBytes, tokens };
}

function total(tokens: CompletionTokens): number {
  return tokens.text + tokens.audio;
}

function takeWords(text: string, share: number): string {
  const words = splitIntoWords(text);
  return words.slice(0, Math.floor(words.length * share)).join("");
}

/** A written answer within the limit. */
export function fitText(text: string, maxTokens: number | null) {
  const tokens = textTokens(text.length);
  if (maxTokens === null || tokens <= maxTokens) return { text, tokens, isCut: false };
  let kept = "";
  for (const word of splitIntoWords(text)) {
    if (textTokens(kept.length + word.length) > maxTokens) break;
    kept += word;
  }
  return { text: kept, tokens: maxTokens, isCut: true };
}
