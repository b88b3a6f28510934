import { useState } from "react";

import { useKeptFocus } from "../parts/use-kept-focus.js";
import { Announcements } from "./Announcements.js";
import { Turn } from "./Turn.js";
import type { TurnListener } from "./turn-listener.js";
import type { OpenConversation } from "./use-conversation.js";
import { useKeepAtEnd } from "./use-keep-at-end.js";
import { Unsent } from "../composer/Unsent.js";

interface Props {
  opened: OpenConversation;
  /** Whether its first message was sent here just now. */
  isBegun: boolean;
  listener: TurnListener | null;
  onListen: () => void;
}

/** What was said, oldest first; it stays at its end while the end grows, unless somebody has scrolled away. */
export function Turns({ opened, isBegun, listener, onListen }: Props) {
  const { turns, hasEarlier, readEarlier, conversation } = opened;
  const { ref: scroller, ...focus } = useKeptFocus<HTMLDivElement>((container) => container);
  const content = useKeepAtEnd(scroller);
  const [reading, setReading] = useState(false);
  const last = turns.at(-1);
  const read = async () => {
    setReading(true);
    // Without a connection the button is still there.
    await readEarlier().catch(() => undefined);
    setReading(false);
  };
  return (
    <div
      ref={scroller}
      {...focus}
      className="turns"
      role="log"
      aria-live="off"
      aria-label="What was said"
      tabIndex={0}
    >
      <div ref={content}>
        {hasEarlier && (
          <button type="button" className="quiet" disabled={reading} onClick={() => void read()}>
            {reading ? "Reading…" : "Show earlier turns"}
          </button>
        )}
        {turns.length === 0 && <p className="centred">Nothing was said yet.</p>}
        {turns.map((turn) => (
          <Turn
            key={turn.id}
            turn={turn}
            listener={listener?.turnId === turn.id ? listener : null}
            isLast={turn === last}
            onListen={onListen}
          />
        ))}
        <Unsent conversationId={conversation?.id ?? null} />
      </div>
      <Announcements turn={last ?? null} isBegun={isBegun} />
    </div>
  );
}
