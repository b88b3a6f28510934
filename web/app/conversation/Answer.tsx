import type { ReactNode } from "react";

import { Icon } from "../parts/Icon.js";
import { useWatched } from "../parts/use-watched.js";
import { Watched } from "../client/watched.js";
import { Clip } from "./Clip.js";
import { Failure } from "./Failure.js";
import { LiveClip } from "./LiveClip.js";
import type { TurnProps } from "./Turn.js";
import type { Listened } from "./turn-listener.js";

const nobodyListens = new Watched<Listened | null>(null);

export function isRunning({ status }: TurnProps["turn"]): boolean {
  return status === "QUEUED" || status === "RUNNING";
}

/** What the model says, has said, or why it has said nothing. */
export function Answer({ turn, listener, isLast, onListen }: TurnProps) {
  const live = useWatched<Listened | null>(listener?.heard ?? nobodyListens);
  const running = isRunning(turn);
  const words = wordsOf(turn, live);
  return (
    <div role="group" className="message answer" aria-label="Parley" aria-busy={running}>
      {words !== "" && (
        <p className="words" dir="auto">
          {words}
        </p>
      )}
      {running && words === "" && <Thinking />}
      <Sound turn={turn} live={live} running={running} onListen={onListen} />
      {turn.finishReason === "LENGTH" && <p className="remark">Cut off: the longest answer was reached.</p>}
      {turn.omittedTurns > 0 && (
        <p className="remark">
          The model was not sent the{" "}
          {turn.omittedTurns === 1 ? "oldest turn" : `${turn.omittedTurns} oldest turns`} of this long
          conversation.
        </p>
      )}
      {!running && <Failure turn={turn} isLast={isLast} />}
    </div>
  );
}

/** Where a turn is opened in its middle, what was read is shown until what is heard has caught up with it. */
function wordsOf({ assistantMessage, status }: TurnProps["turn"], live: Listened | null): string {
  const read = assistantMessage?.content ?? "";
  if (live === null || status === "COMPLETED") return read;
  return live.words.length > read.length ? live.words : read;
}

function Thinking() {
  return (
    <p className="thinking">
      <span className="visually-hidden">Parley is thinking</span>
      <span aria-hidden="true" />
      <span aria-hidden="true" />
      <span aria-hidden="true" />
    </p>
  );
}

interface SoundProps extends Pick<TurnProps, "turn" | "onListen"> {
  live: Listened | null;
  running: boolean;
}

function Sound({ turn, live, running, onListen }: SoundProps): ReactNode {
  const label = "Parley's voice";
  const clip = turn.assistantMessage?.audio ?? null;
  if (live?.sound != null) {
    const file = running ? null : clip;
    return <LiveClip key={turn.attempt} sound={live.sound} file={file} label={label} turnId={turn.id} />;
  }
  if (clip === null) return null;
  if (!running) return <Clip key={clip.id} clip={clip} label={label} answerOf={turn.id} />;
  return (
    <button type="button" className="listen" onClick={onListen}>
      <Icon name="play" /> Listen
    </button>
  );
}
