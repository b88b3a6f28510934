/** What a subscriber is told of a turn, in the words of the API. */
export type TurnHappening =
  | TurnStartedHappening
  | TranscriptDeltaHappening
  | TextDeltaHappening
  | AudioDeltaHappening
  | TurnEndedHappening;

interface Happening<Type extends string> {
  type: Type;
  turnId: string;
  /** Where the listener is once it has heard this. */
  cursor: string;
}

export type TurnStartedHappening = Happening<"TurnStarted">;
export type TranscriptDeltaHappening = Happening<"TranscriptDelta"> & { delta: string };
export type TextDeltaHappening = Happening<"TextDelta"> & { delta: string };
export type AudioDeltaHappening = Happening<"AudioDelta"> & {
  /** From the answer's first sample, in bytes. */
  byteOffset: number;
  byteLength: number;
  /** Reads the samples. Rejects with NOT_FOUND where they are gone. */
  base64: () => Promise<string>;
};
export type TurnEndedHappening = Happening<"TurnEnded">;
