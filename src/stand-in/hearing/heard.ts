/**
 * What became of listening to a clip. `nothing`: no words could be made out. `unreadable`: it is no WAV file, or one
 * whose coding is not known here. `cutAfterSeconds`: the clip went on, and was not listened to any more.
 */
export type Heard =
  | { kind: "words"; text: string; isSure: boolean; cutAfterSeconds: number | null }
  | { kind: "nothing" }
  | { kind: "unreadable" };

/** What the thread is started with. */
export interface HearingSettings {
  packageFolder: string;
  maxSeconds: number;
}

export interface HearingOrder {
  id: number;
  bytes: Uint8Array;
}

export type HearingReply =
  { id: number; ok: true; heard: Heard } | { id: number; ok: false; message: string };
