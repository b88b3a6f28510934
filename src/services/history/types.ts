/** A finished turn of the conversation, as far as a later request to the model needs it. */
export interface HistoryTurn {
  status: "COMPLETED" | "CANCELLED";
  user: {
    text: string | null;
    transcript: string | null;
    sound: UserSound | null;
    /** Its time was over: only what is told of it is left. */
    soundRemoved?: boolean;
  };
  assistant: { text: string | null; transcript: string | null; sound: AssistantSound | null } | null;
}

export interface UserSound {
  storageKey: string;
  format: "wav" | "mp3";
  byteLength: number;
  /** Null where it could not be told. */
  durationMs: number | null;
}

export interface AssistantSound {
  clipId: string;
  providerAudioId: string | null;
  providerAudioExpiresAt: Date | null;
  /** Whether the provider has said that it no longer knows the id. */
  dead: boolean;
  endpoint: string | null;
  deployment: string | null;
  byteLength: number;
  /** Null where it could not be told. */
  durationMs: number | null;
}

export interface NewMessage {
  text: string | null;
  sound: UserSound | null;
}

/** Everything that decides what is sent; a request is a pure function of it. */
export interface RequestFacts {
  instructions: string | null;
  /** The turns before this one, oldest first, failed ones left out. */
  turns: readonly HistoryTurn[];
  /** How many usable turns are older than `turns` and were not even read, because they can't fit. */
  olderTurns: number;
  message: NewMessage;
  replyWithSound: boolean;
  now: Date;
  /** Audio ids are sent only to the endpoint and deployment that made them. */
  endpoint: string;
  deployment: string;
  bounds: RequestBounds;
  /** Refer to no audio id at all: the provider has just refused one. */
  withoutAudioIds: boolean;
  /** Keys of earlier user sound that the store no longer has. */
  lostSound: ReadonlySet<string>;
}

export interface RequestBounds {
  maxTokens: number;
  /** For user sound of earlier turns, in bytes. */
  maxAudioBytes: number;
}

export type PlannedMessage =
  | { role: "system"; text: string }
  | { role: "user"; text: string | null; sound: UserSound | null }
  | { role: "assistant"; text: string }
  | { role: "assistant"; providerAudioId: string; clipId: string };

export interface RequestPlan {
  messages: PlannedMessage[];
  /** Whether sound is asked for, by the caller or by the model's audio rule. */
  askForSound: boolean;
  /** Sound is asked for only because of the audio rule: the answer is its transcript. */
  dropSound: boolean;
  /** How many earlier turns could be part of a request, and how many of them are none of this one. */
  usableTurns: number;
  omittedTurns: number;
  estimate: { textTokens: number; audioTokens: number };
}
