import { useEffect } from "react";

import { silence } from "../audio/playback.js";
import { Composer } from "../composer/Composer.js";
import { Notice } from "../parts/Notice.js";
import { usePageTitle } from "../parts/use-page-title.js";
import { isRunning } from "./Answer.js";
import { BackButton } from "./BackButton.js";
import { ConversationHeader } from "./ConversationHeader.js";
import { untitled } from "./Title.js";
import { Turns } from "./Turns.js";
import { useFirstName } from "./use-first-name.js";
import { useConversation } from "./use-conversation.js";
import type { OpenConversation } from "./use-conversation.js";
import { useStop } from "./use-stop.js";
import { useListening } from "./use-listening.js";

interface Props {
  id: string;
  /** Whether its first message was sent here just now. */
  isBegun: boolean;
}

/** A saved conversation: what was said, and the way to go on. */
export function ConversationPane({ id, isBegun }: Props) {
  const opened = useConversation(id);
  useFirstName(opened, isBegun);
  const { listener, listen } = useListening(opened.turns);
  const running = opened.turns.findLast(isRunning) ?? null;
  const stop = useStop(running?.id ?? null);
  const { conversation, problem } = opened;
  usePageTitle(conversation === null ? null : (conversation.title ?? untitled));
  useEffect(() => silence, [id]);

  const isGone = problem?.code === "NOT_FOUND";
  return (
    <div className="pane">
      {conversation === null || isGone ? (
        <header className="pane-header">
          <BackButton />
          <h1>{problem === null ? "Opening…" : "Parley"}</h1>
        </header>
      ) : (
        <ConversationHeader conversation={conversation} />
      )}
      {conversation === null || isGone ? (
        <div className="turns">
          <div>{problem !== null && <Unopened opened={opened} />}</div>
        </div>
      ) : (
        <Turns opened={opened} isBegun={isBegun} listener={listener} onListen={listen} />
      )}
      {(conversation !== null || problem === null) && !isGone && (
        // Also while it is opened: what is written then is not lost.
        <Composer
          conversationId={id}
          beginning={null}
          goesOn={isBegun}
          running={running !== null}
          onStop={stop}
        />
      )}
    </div>
  );
}

function Unopened({ opened: { problem, readAgain } }: { opened: OpenConversation }) {
  return (
    <Notice
      actions={
        problem?.retryable === true && (
          <button type="button" onClick={() => void readAgain().catch(() => undefined)}>
            Try again
          </button>
        )
      }
    >
      {problem?.message}
    </Notice>
  );
}
