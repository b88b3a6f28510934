import type { AudioDraft, AudioStore, StoredAudio } from "../../storage/audio-store.js";
import type { DatabaseClient } from "../../db/database.js";
import type { AudioClipRow, TurnRow } from "../../db/rows.js";
import { toAudioFormat } from "../audio/clip-format.js";
import { pcmHeaderByteLength, readGrowth } from "../live/read-answer.js";
import type { KeptAnswer, KeptSound } from "./finish.js";
import { trueHeader } from "./keep-answer.js";
import type { ModelTarget } from "./model-target.js";

/** 24 kHz mono 16-bit. */
const pcmBytesPerMs = 48;
const sampleByteLength = 2;

/** What a server that died has left of an answer. */
export interface Salvage {
  answer: KeptAnswer | null;
  /** Whether the answer has rows from the time when it grew. */
  grown: boolean;
  /** Of the clip that grew, whose draft may still be there; null where there was none. */
  storageKey: string | null;
}

/**
 * What was received before the server died, made whole: the words of the log, and all of the sound that is on the disk,
 * which may be a little more than the log tells.
 */
export async function salvageAnswer(
  client: DatabaseClient,
  store: AudioStore,
  turn: TurnRow,
  target: ModelTarget,
): Promise<Salvage> {
  const message = await client.message.findUnique({
    where: { turnId_role: { turnId: turn.id, role: "ASSISTANT" } },
    include: { audio: true },
  });
  if (message === null) return { answer: null, grown: false, storageKey: null };
  const words = (await readGrowth(client, [message.id])).get(message.id);
  const sound = message.audio === null ? null : await salvageSound(store, message.audio, target);
  const { text, transcript } = words ?? message;
  const left = { grown: true, storageKey: message.audio?.storageKey ?? null };
  if (sound === null && text === null && transcript === null) return { answer: null, ...left };
  return { answer: { messageId: message.id, text, transcript, sound }, ...left };
}

async function salvageSound(
  store: AudioStore,
  clip: AudioClipRow,
  { endpoint: providerEndpoint, deployment: providerDeployment }: ModelTarget,
): Promise<KeptSound | null> {
  const { storageKey } = clip;
  const format = toAudioFormat(clip.format);
  const headerByteLength = pcmHeaderByteLength(format) ?? 0;
  const stored =
    (await store.measure(storageKey)) ?? (await commitDraft(store, storageKey, headerByteLength));
  if (stored === null || stored.byteLength <= headerByteLength) return null;
  const durationMs = Math.round((stored.byteLength - headerByteLength) / pcmBytesPerMs);
  // The id of an answer that was not finished is never referred to, so it is not kept.
  const provider = {
    providerAudioId: null,
    providerAudioExpiresAt: null,
    providerEndpoint,
    providerDeployment,
  };
  return { clipId: clip.id, storageKey, format, durationMs, ...stored, ...provider };
}

/** Null where there is no draft, or nothing in it. */
async function commitDraft(
  store: AudioStore,
  storageKey: string,
  headerByteLength: number,
): Promise<StoredAudio | null> {
  // A copy, because a server that only seemed dead may still write to its own.
  const draft = await store.copyDraft(storageKey);
  if (draft === null) return null;
  const samples = draft.byteLength - headerByteLength;
  if (samples < sampleByteLength) {
    await draft.discard();
    return null;
  }
  await draft.truncate(headerByteLength + samples - (samples % sampleByteLength));
  return commitOnce(store, storageKey, draft, headerByteLength);
}

/** Another server may have made it whole at the same moment: then that is what is kept. */
async function commitOnce(
  store: AudioStore,
  storageKey: string,
  draft: AudioDraft,
  headerByteLength: number,
): Promise<StoredAudio> {
  try {
    return await draft.commit(storageKey, headerByteLength === 0 ? undefined : trueHeader(draft));
  } catch (error) {
    const stored = await store.measure(storageKey);
    if (stored === null) throw error;
    return stored;
  }
}
