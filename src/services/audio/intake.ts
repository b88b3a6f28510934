import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import type { Config } from "../../config/config.js";
import { ParleyError } from "../../errors.js";
import { newId } from "../../ids.js";
import type { AudioDraft, AudioStore, StoredAudio } from "../../storage/audio-store.js";
import type { AcceptedSound } from "../turns/accept-turn.js";
import { clipKey } from "./clip-key.js";
import { decodeBase64 } from "./decode-base64.js";
import { convertOpusToPcm, requirePcmWithin } from "./formats/opus-to-pcm.js";
import { recogniseAudio } from "./formats/recognise.js";
import type { ConvertibleAudio } from "./formats/recognise.js";
import { sniffAudio, sniffByteLength } from "./formats/sniff.js";
import { formatError } from "./formats/unsupported.js";
import { growingWavHeader, wavHeader, wavHeaderByteLength } from "./formats/wav-header.js";
import type { IncomingSound } from "./incoming-audio.js";

/** Sound that was received, recognised and, where needed, converted; nothing of it is kept yet. */
export interface ReceivedAudio {
  /** Puts it into the store for a conversation, durably. */
  keep(conversationId: string): Promise<AcceptedSound>;
  /** Removes what was received, unless it was kept. */
  discard(): Promise<void>;
}

/** What stands in the draft once it is ready for the model. */
interface Prepared {
  draft: AudioDraft;
  format: "WAV" | "MP3";
  durationMs: number;
  receivedSha256: string;
  head: Uint8Array | undefined;
}

/** 24 kHz mono 16-bit. */
const pcmBytesPerMs = 48;

/** Takes sound from clients: streamed to a draft, never collected in memory, refused as soon as it is too long. */
export class AudioIntake {
  readonly #store: AudioStore;
  readonly #limits: Config["audio"];

  constructor(store: AudioStore, limits: Config["audio"]) {
    this.#store = store;
    this.#limits = limits;
  }

  /** @throws ParleyError AUDIO_TOO_LARGE, AUDIO_FORMAT_UNSUPPORTED, BAD_USER_INPUT */
  async receive(audio: IncomingSound): Promise<ReceivedAudio> {
    const source = await this.#open(audio);
    const draft = await this.#store.create();
    try {
      const receivedSha256 = await this.#fill(draft, source);
      return this.#received(await this.#prepare(draft, receivedSha256));
    } catch (error) {
      source.destroy();
      await draft.discard();
      throw error;
    }
  }

  async #open({ base64, upload }: IncomingSound): Promise<Readable> {
    if (base64 != null) return Readable.from([decodeBase64(base64, this.#limits.maxBase64Bytes)]);
    if (upload != null) return (await upload).stream;
    throw new ParleyError("BAD_USER_INPUT", "audio must hold exactly one of base64, upload and uploadId.");
  }

  /** Resolves to the SHA-256 of the received bytes. Hopeless bytes are refused before the rest is read. */
  async #fill(draft: AudioDraft, source: Readable): Promise<string> {
    const hash = createHash("sha256");
    let sniffed = false;
    for await (const chunk of source as AsyncIterable<Uint8Array>) {
      if (draft.byteLength + chunk.byteLength > this.#limits.maxBytes) throw this.#tooLarge();
      hash.update(chunk);
      await draft.append(chunk);
      if (!sniffed && draft.byteLength >= sniffByteLength) {
        await refuseHopeless(draft);
        sniffed = true;
      }
    }
    return hash.digest("hex");
  }

  async #prepare(draft: AudioDraft, receivedSha256: string): Promise<Prepared> {
    const audio = await recogniseAudio(draft);
    if ("stream" in audio) return { ...(await this.#convert(draft, audio)), receivedSha256 };
    const format = audio.kind === "wav" ? "WAV" : "MP3";
    return { draft, format, durationMs: Math.round(audio.durationMs), receivedSha256, head: undefined };
  }

  async #convert(received: AudioDraft, audio: ConvertibleAudio): Promise<Omit<Prepared, "receivedSha256">> {
    const maxPcmByteLength = this.#limits.maxBytes - wavHeaderByteLength;
    requirePcmWithin(audio.durationMs * pcmBytesPerMs, maxPcmByteLength);
    const draft = await this.#store.create();
    try {
      await draft.append(growingWavHeader());
      const sink = (pcm: Uint8Array) => draft.append(pcm);
      const dataByteLength = await convertOpusToPcm(audio.stream, { sink, maxPcmByteLength });
      const head = wavHeader({ sampleRate: 24_000, channels: 1, bitsPerSample: 16, dataByteLength });
      return { draft, format: "WAV", durationMs: Math.round(dataByteLength / pcmBytesPerMs), head };
    } catch (error) {
      await draft.discard();
      throw error;
    } finally {
      await received.discard();
    }
  }

  #received({ draft, format, durationMs, receivedSha256, head }: Prepared): ReceivedAudio {
    return {
      keep: async (conversationId) => {
        const clipId = newId("clip");
        const storageKey = clipKey(conversationId, clipId, format);
        const stored: StoredAudio = await draft.commit(storageKey, head);
        return { clipId, storageKey, format, durationMs, receivedSha256, ...stored };
      },
      discard: () => draft.discard(),
    };
  }

  #tooLarge(): ParleyError {
    return new ParleyError("AUDIO_TOO_LARGE", `Audio may have at most ${this.#limits.maxBytes} bytes.`);
  }
}

async function refuseHopeless(draft: AudioDraft): Promise<void> {
  const sniffed = sniffAudio(await draft.readAt(0, sniffByteLength));
  if (sniffed.kind === "unsupported") throw formatError(sniffed);
}
