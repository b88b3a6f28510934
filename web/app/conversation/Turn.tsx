import { memo } from "react";

import type { TurnFieldsFragment } from "../client/generated/operations.js";
import { Answer } from "./Answer.js";
import { Clip } from "./Clip.js";
import type { TurnListener } from "./turn-listener.js";

export interface TurnProps {
  turn: TurnFieldsFragment;
  /** Hears this turn; null where nobody does. */
  listener: TurnListener | null;
  /** Whether it can be run again: only the last one can. */
  isLast: boolean;
  onListen: () => void;
}

/** A question and its answer. */
export const Turn = memo(function Turn({ turn, listener, isLast, onListen }: TurnProps) {
  const { userMessage } = turn;
  return (
    <article className="turn" aria-label={`Turn ${turn.position}`}>
      <div role="group" className="message question" aria-label="You">
        {userMessage.content !== null && (
          <p className="words" dir="auto">
            {userMessage.content}
          </p>
        )}
        {userMessage.audio !== null && <Clip clip={userMessage.audio} label="Your voice" answerOf={null} />}
      </div>
      <Answer turn={turn} listener={listener} isLast={isLast} onListen={onListen} />
    </article>
  );
});
