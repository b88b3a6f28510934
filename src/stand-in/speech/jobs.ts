export type EncodedFormat = "mp3" | "flac" | "opus" | "aac";

/** What the speech worker can do. Sound is 24 kHz mono, 16 bit. */
export type SpeechJob =
  { kind: "speak"; text: string; voice: string } | { kind: "encode"; pcm: Int16Array; format: EncodedFormat };

export interface SpeechOrder {
  id: number;
  job: SpeechJob;
}

export type SpeechReply =
  { id: number; ok: true; bytes: Uint8Array } | { id: number; ok: false; message: string };
