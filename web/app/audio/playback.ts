import { Watched } from "../client/watched.js";

export interface PlaybackState {
  playing: boolean;
  /** Where it is, in seconds. */
  seconds: number;
  /** Whether it was played to its end, and not begun anew since. */
  ended: boolean;
  /** Why it can't be played; null where it can, as far as is known. */
  problem: string | null;
}

/** Something that can be played: a file, or an answer that still comes. */
export interface Playback {
  readonly state: Watched<PlaybackState>;
  play: () => Promise<void>;
  pause: () => void;
  /** Goes to a place, in seconds; goes on playing where it plays. */
  seek: (seconds: number) => void;
}

/** Two voices at once can't be understood: what begins to play stops the other. */
let onStage: Playback | null = null;

export function takeStage(playback: Playback): void {
  if (onStage !== playback) onStage?.pause();
  onStage = playback;
}

/** Stops whatever plays. */
export function silence(): void {
  onStage?.pause();
}

/** Calls `act` at each frame of the screen until the answered function is called. */
export function eachFrame(act: () => void): () => void {
  let frame = requestAnimationFrame(function next() {
    act();
    frame = requestAnimationFrame(next);
  });
  return () => cancelAnimationFrame(frame);
}
