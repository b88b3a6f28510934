import type { AudioDraft } from "../../storage/audio-store.js";
import type { AudioFormat } from "../audio/clip-format.js";
import { wavHeader, wavHeaderByteLength } from "../audio/formats/wav-header.js";
import type { Answer } from "./answer.js";
import type { KeptAnswer, KeptSound } from "./finish.js";
import type { ModelTarget } from "./model-target.js";

export interface AnswerFacts {
  format: AudioFormat;
  durationMs: number | null;
  providerAudioId: string | null;
  providerAudioExpiresAt: Date | null;
  target: ModelTarget;
}

/**
 * Makes the received sound a file of the store, before any row refers to it. Where that fails the answer tells it, and
 * the words are kept alone; null without words.
 */
export async function keepAnswer(answer: Answer, facts: AnswerFacts): Promise<KeptAnswer | null> {
  const words = answer.words();
  const sound = await keepSoundOf(answer, facts);
  if (sound === null && words.text === null && words.transcript === null) return null;
  return { messageId: answer.log.messageId, ...words, sound };
}

async function keepSoundOf(answer: Answer, facts: AnswerFacts): Promise<KeptSound | null> {
  if (answer.draft === null) return null;
  try {
    return await keepSound(answer.log, answer.draft, facts);
  } catch (error) {
    await answer.dropSound(error);
    return null;
  }
}

/** What identifies the clip of an answer and its bytes. */
interface ClipNames {
  clipId: string;
  storageKey: string;
}

async function keepSound(names: ClipNames, draft: AudioDraft, facts: AnswerFacts): Promise<KeptSound> {
  const { format, target, ...columns } = facts;
  const { clipId, storageKey } = names;
  const stored = await draft.commit(storageKey, format === "WAV" ? trueHeader(draft) : undefined);
  const { endpoint: providerEndpoint, deployment: providerDeployment } = target;
  return { clipId, storageKey, format, ...stored, ...columns, providerEndpoint, providerDeployment };
}

/** The header of a draft that began with the one of a growing clip. */
export function trueHeader(draft: AudioDraft): Uint8Array {
  const dataByteLength = draft.byteLength - wavHeaderByteLength;
  return wavHeader({ sampleRate: 24_000, channels: 1, bitsPerSample: 16, dataByteLength });
}
