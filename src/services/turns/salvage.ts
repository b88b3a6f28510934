import { buffer } from "node:stream/consumers";
import type { AudioDraft, AudioStore, StoredAudio } from "../../storage/audio-store.js";
import type { DatabaseClient } from "../../db/database.js";
import type { AudioClipRow, TurnRow } from "../../db/rows.js";
import { toAudioFormat } from "../audio/clip-format.js";
import type { AudioFormat } from "../audio/clip-format.js";
import type { ByteSource } from "../audio/formats/byte-source.js";
import { answerDurationOrBound } from "../history/estimate.js";
import { pcmHeaderByteLength, readGrowth } from "../live/read-answer.js";
import type { Received } from "./call-record.js";
import type { KeptAnswer, KeptSound } from "./finish.js";
import { trueHeader } from "./keep-answer.js";
import type { ModelTarget } from "./model-target.js";
import { measureSound, pcmBytesPerMs } from "./sound-length.js";

const sampleByteLength = 2;
const nothing: Received = Object.freeze({ receivedText: "", receivedAudioMs: 0 });

/** What a server that died has left of an answer. */
export interface Salvage {
  answer: KeptAnswer | null;
  /** Whether the answer has rows from the time when it grew. */
  grown: boolean;
  /** What is to be paid, also where it is not kept. */
  received: Received;
  /** Of the clip that grew, whose draft may still be there; null where there was none. */
  storageKey: string | null;
  /** Why the sound could not be made whole, a full disk say; null where it could. */
  failure: unknown;
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
  if (message === null)
    return { answer: null, grown: false, received: nothing, storageKey: null, failure: null };
  const growth = (await readGrowth(client, [message.id])).get(message.id);
  const { sound, failure } = await trySound(store, message.audio, target);
  const { text, transcript } = growth ?? message;
  const receivedText = (text ?? "") + (transcript ?? "");
  // Where the sound can't be made whole the log tells how much there was.
  const receivedAudioMs =
    sound === null ? (growth?.audioByteLength ?? 0) / pcmBytesPerMs : answerDurationOrBound(sound);
  const received = { receivedText, receivedAudioMs };
  const left = { grown: true, received, storageKey: message.audio?.storageKey ?? null, failure };
  if (sound === null && text === null && transcript === null) return { answer: null, ...left };
  return { answer: { messageId: message.id, text, transcript, sound }, ...left };
}

async function trySound(store: AudioStore, clip: AudioClipRow | null, target: ModelTarget) {
  if (clip === null) return { sound: null, failure: null };
  try {
    return { sound: await salvageSound(store, clip, target), failure: null };
  } catch (error) {
    return { sound: null, failure: error ?? new Error("the sound could not be made whole") };
  }
}

async function salvageSound(
  store: AudioStore,
  clip: AudioClipRow,
  { endpoint: providerEndpoint, deployment: providerDeployment }: ModelTarget,
): Promise<KeptSound | null> {
  const { storageKey } = clip;
  const format = toAudioFormat(clip.format);
  const stored = (await measureWhole(store, storageKey)) ?? (await commitDraft(store, storageKey, format));
  if (stored === null || stored.byteLength <= (pcmHeaderByteLength(format) ?? 0)) return null;
  const durationMs = await measureSound(format, storedBytes(store, storageKey, stored.byteLength));
  // The id of an answer that was not finished is never referred to, so it is not kept.
  const provider = {
    providerAudioId: null,
    providerAudioExpiresAt: null,
    providerEndpoint,
    providerDeployment,
  };
  return { clipId: clip.id, storageKey, format, durationMs, ...stored, ...provider };
}

/**
 * Null where nothing is stored, or only the empty file with which a name is taken where the file system has no hard links:
 * a server that was killed right then has left the sound in its draft.
 */
async function measureWhole(store: AudioStore, storageKey: string): Promise<StoredAudio | null> {
  const stored = await store.measure(storageKey);
  if (stored?.byteLength !== 0) return stored;
  await store.delete(storageKey);
  return null;
}

/** Null where there is no draft, or nothing in it. */
async function commitDraft(
  store: AudioStore,
  storageKey: string,
  format: AudioFormat,
): Promise<StoredAudio | null> {
  // A copy, because a server that only seemed dead may still write to its own.
  const draft = await store.copyDraft(storageKey);
  if (draft === null) return null;
  const byteLength = wholeByteLength(format, draft.byteLength);
  if (byteLength === 0) {
    await draft.discard();
    return null;
  }
  try {
    await draft.truncate(byteLength);
    return await commitOnce(store, storageKey, draft, format);
  } catch (error) {
    // It is tried again, with a copy each time.
    await draft.discard().catch(() => undefined);
    throw error;
  }
}

/** How much of a draft is kept, in bytes: samples that came whole, and files as they are. 0 where it holds no sound. */
function wholeByteLength(format: AudioFormat, byteLength: number): number {
  const headerByteLength = pcmHeaderByteLength(format);
  if (headerByteLength === null) return byteLength;
  const samples = Math.max(0, byteLength - headerByteLength);
  const whole = samples - (samples % sampleByteLength);
  return whole === 0 ? 0 : headerByteLength + whole;
}

/** Another server may have made it whole at the same moment: then that is what is kept. */
async function commitOnce(
  store: AudioStore,
  storageKey: string,
  draft: AudioDraft,
  format: AudioFormat,
): Promise<StoredAudio> {
  try {
    return await draft.commit(storageKey, format === "WAV" ? trueHeader(draft) : undefined);
  } catch (error) {
    const stored = await store.measure(storageKey);
    if (stored === null) throw error;
    return stored;
  }
}

function storedBytes(store: AudioStore, storageKey: string, byteLength: number): ByteSource {
  const readAt = async (offset: number, length: number) => {
    const end = Math.min(offset + length, byteLength) - 1;
    if (end < offset) return new Uint8Array(0);
    const bytes = await store.read(storageKey, { start: offset, end });
    if (bytes === null) throw new Error(`the sound ${storageKey} is gone`);
    return buffer(bytes);
  };
  return { byteLength, readAt };
}
