import { useEffect, useState } from "react";

import { FilePlayback } from "../audio/file-playback.js";
import type { ClipFieldsFragment } from "../client/generated/operations.js";
import { useServices } from "../services.js";
import { heard } from "./heard.js";
import { Player } from "./Player.js";
import { useBars } from "./use-bars.js";
import { useHeard } from "./use-heard.js";

interface Props {
  clip: ClipFieldsFragment;
  label: string;
  /** The turn whose answer it is; null for a question. */
  answerOf: string | null;
}

/** A clip that grows no more. */
export function Clip({ clip, label, answerOf }: Props) {
  const { clips } = useServices();
  const [playback] = useState(() => {
    const address = async (anew: boolean) => clips.playableAddress(anew ? await clips.readAnew(clip) : clip);
    return new FilePlayback(address, answerOf === null ? 0 : (heard.of(answerOf) ?? 0));
  });
  const { bars, element } = useBars(clip);
  useHeard(playback, answerOf ?? "");
  useEffect(() => () => playback.release(), [playback]);
  return (
    <div ref={element}>
      <Player
        playback={playback}
        bars={bars}
        seconds={(clip.durationMs ?? 0) / 1000}
        label={label}
        file={clip}
      />
    </div>
  );
}
