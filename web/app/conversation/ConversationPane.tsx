import { useEffect } from "react";

import { silence } from "../audio/playback.js";
import { Composer } from "../composer/Composer.js";
import { Notice } from "../parts/Notice.js";
import { isRunning } from "./Answer.js";
import { ConversationHeader } from "./ConversationHeader.js";
import { Turns } from "./Turns.js";
import { useConversation } from "./use-conversation.js";
import { useStop } from "./use-stop.js";
import { useListening } from "./use-listening.js";

/** A saved conversation: what was said, and the way to go on. */
export function ConversationPane({ id }: { id: string }) {
  const opened = useConversation(id);
  const { listener, listen } = useListening(opened.turns);
  const running = opened.turns.findLast(isRunning) ?? null;
  const stop = useStop(running?.id ?? null);
  useEffect(() => silence, [id]);

  const { conversation, problem } = opened;
  if (conversation === null) {
    return (
      <div className="pane">
        {problem === null ? (
          <p className="centred">Opening…</p>
        ) : (
          <Notice
            actions={problem.retryable && <button onClick={() => void opened.readAgain()}>Try again</button>}
          >
            {problem.message}
          </Notice>
        )}
      </div>
    );
  }
  return (
    <div className="pane">
      <ConversationHeader conversation={conversation} />
      {problem?.code === "NOT_FOUND" ? (
        <Notice>{problem.message}</Notice>
      ) : (
        <>
          <Turns opened={opened} listener={listener} onListen={listen} />
          <Composer conversationId={id} beginning={null} running={running !== null} onStop={stop} />
        </>
      )}
    </div>
  );
}
