import type { EncodedFormat } from "./jobs.js";
import { splitIntoPieces } from "./pieces.js";
import type { SpeechWorker } from "./speech-worker.js";
import { providerVoices } from "./voices.js";

/** Where the sound of answers comes from: 24 kHz mono, 16 bit, little-endian. */
export interface Speech {
  /** The pieces in which a text is spoken. Joined, they are the text. */
  split(text: string): string[];
  speak(text: string, voice: string): Promise<Uint8Array>;
  encode(pcm: Uint8Array, format: EncodedFormat): Promise<Uint8Array>;
  close(): Promise<void>;
}

const maxCachedBytes = 16 * 1024 * 1024;

/** Speaks with flite, and keeps what was spoken last. */
export function createFliteSpeech(worker: SpeechWorker): Speech {
  const cache = createSoundCache(maxCachedBytes);
  worker.warmUp();
  return {
    split: splitIntoPieces,
    async speak(text, voice) {
      const key = `${voice} ${text}`;
      const cached = cache.get(key);
      if (cached !== null) return cached;
      const pcm = await worker.run({ kind: "speak", text, voice });
      cache.set(key, pcm);
      return pcm;
    },
    encode: (pcm, format) => encodeOn(worker, pcm, format),
    close: () => worker.close(),
  };
}

const toneSampleRate = 24_000;
const toneSeconds = 1;

/** One second of a quiet tone for any text, at once: for tests and benchmarks. The pitch tells the voices apart. */
export function createClipSpeech(worker: SpeechWorker): Speech {
  const tones = new Map<string, Uint8Array>();
  return {
    split: (text) => [text],
    speak(_text, voice) {
      const tone =
        tones.get(voice) ?? makeTone(220 + 20 * providerVoices.findIndex((name) => name === voice));
      tones.set(voice, tone);
      return Promise.resolve(tone);
    },
    encode: (pcm, format) => encodeOn(worker, pcm, format),
    close: () => worker.close(),
  };
}

function makeTone(frequencyHz: number): Uint8Array {
  const samples = Int16Array.from({ length: toneSampleRate * toneSeconds }, (_, index) =>
    Math.round(6000 * Math.sin((2 * Math.PI * frequencyHz * index) / toneSampleRate)),
  );
  return new Uint8Array(samples.buffer);
}

function encodeOn(worker: SpeechWorker, pcm: Uint8Array, format: EncodedFormat): Promise<Uint8Array> {
  return worker.run({ kind: "encode", pcm: new Int16Array(Uint8Array.from(pcm).buffer), format });
}

interface SoundCache {
  get(key: string): Uint8Array | null;
  set(key: string, sound: Uint8Array): void;
}

/** Keeps what was used last, up to a number of bytes. */
export function createSoundCache(maxBytes: number): SoundCache {
  const sounds = new Map<string, Uint8Array>();
  let keptBytes = 0;
  const drop = (key: string) => {
    keptBytes -= sounds.get(key)?.byteLength ?? 0;
    sounds.delete(key);
  };
  return {
    get(key) {
      const sound = sounds.get(key);
      if (sound === undefined) return null;
      sounds.delete(key);
      sounds.set(key, sound);
      return sound;
    },
    set(key, sound) {
      drop(key);
      sounds.set(key, sound);
      keptBytes += sound.byteLength;
      for (const oldest of sounds.keys()) {
        if (keptBytes <= maxBytes) break;
        drop(oldest);
      }
    },
  };
}
