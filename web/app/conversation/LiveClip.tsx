import { useEffect, useState } from "react";

import type { GrowingSound } from "../audio/growing-sound.js";
import { LivePlayback } from "../audio/live-playback.js";
import type { ClipFieldsFragment } from "../client/generated/operations.js";
import { useWatched } from "../parts/use-watched.js";
import { heard } from "./heard.js";
import { Player } from "./Player.js";
import { barCount } from "./use-bars.js";
import { useHeard } from "./use-heard.js";

interface Props {
  sound: GrowingSound;
  /** What it has become; null while it comes. */
  file: ClipFieldsFragment | null;
  label: string;
  turnId: string;
}

/** An answer that is heard while it comes. */
export function LiveClip({ sound, file, label, turnId }: Props) {
  const [playback] = useState(() => new LivePlayback(sound, heard.of(turnId) ?? 0));
  useWatched(sound.grown);
  useHeard(playback, turnId);
  useEffect(() => () => playback.pause(), [playback]);
  return (
    <Player
      playback={playback}
      bars={sound.bars(barCount)}
      seconds={sound.seconds}
      label={label}
      file={file}
    />
  );
}
