import { randomBytes } from "node:crypto";

/** An answer that the stand-in spoke and can still be referred to. */
export interface KnownAudio {
  id: string;
  deployment: string;
  transcript: string;
  durationMs: number;
  expiresAtMs: number;
}

export interface AudioIds {
  /** A new id, of no use until `remember`. */
  create(): string;
  remember(audio: KnownAudio): void;
  /** Null for an id that is unknown, expired or of another deployment. */
  find: (id: string, deployment: string) => KnownAudio | null;
  forgetAll(): void;
}

const maxKnown = 10_000;

export function createAudioIds(now: () => Date): AudioIds {
  const known = new Map<string, KnownAudio>();
  return {
    create: () => `audio_${randomBytes(16).toString("hex")}`,
    remember(audio) {
      known.set(audio.id, audio);
      const oldest = known.keys().next();
      if (known.size > maxKnown && oldest.done !== true) known.delete(oldest.value);
    },
    find(id, deployment) {
      const audio = known.get(id);
      if (audio?.deployment !== deployment || audio.expiresAtMs <= now().getTime()) return null;
      return audio;
    },
    forgetAll: () => known.clear(),
  };
}
