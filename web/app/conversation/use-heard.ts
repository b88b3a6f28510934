import { useEffect } from "react";

import type { Playback } from "../audio/playback.js";
import { heard } from "./heard.js";

/** How often the place is remembered, in seconds of sound. */
const noteSeconds = 0.25;

/**
 * Plays an answer that this tab wants to hear, from where it was, and remembers the place while it plays. A browser that lets
 * no page speak by itself after a reload leaves the play button to be pressed.
 */
export function useHeard(playback: Playback, turnId: string): void {
  useEffect(() => {
    if (heard.of(turnId) === null) return;
    let noted = 0;
    let wasPlaying = false;
    const stopWatching = playback.state.watch(() => {
      const { playing, seconds, ended } = playback.state.get();
      if (ended && heard.of(turnId) !== null) heard.end();
      else if (wasPlaying !== playing || Math.abs(seconds - noted) >= noteSeconds) {
        noted = seconds;
        wasPlaying = playing;
        heard.note(turnId, seconds, !playing);
      }
    });
    if (mayPlayUnasked() && !heard.isPaused(turnId)) void playback.play();
    return stopWatching;
  }, [playback, turnId]);
}

function mayPlayUnasked(): boolean {
  // Older browsers don't tell; they refuse by themselves.
  return !("userActivation" in navigator) || navigator.userActivation.hasBeenActive;
}
