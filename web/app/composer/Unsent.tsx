import { Notice } from "../parts/Notice.js";
import { RetryButton } from "../parts/RetryButton.js";
import { useServices } from "../services.js";
import { useSending } from "./use-sending.js";

/** A message that the server does not have yet; nothing where there is none. */
export function Unsent({ conversationId }: { conversationId: string | null }) {
  const { outbox } = useServices();
  const sending = useSending(conversationId);
  if (sending === null) return null;
  const { draft, problem } = sending;

  return (
    <div className="turn" aria-busy={problem === null}>
      <div className="message question unsent">
        {draft.text !== "" && (
          <p className="words" dir="auto">
            {draft.text}
          </p>
        )}
        {draft.sound !== null && <p className="remark">A sound of {Math.ceil(draft.sound.size / 1024)} kB</p>}
        {problem === null && <p className="remark">Sending…</p>}
      </div>
      {problem !== null && (
        <Notice
          actions={
            <>
              <button type="button" onClick={() => outbox.discard(conversationId)}>
                Discard
              </button>
              {problem.retryable && (
                <RetryButton
                  label="Send again"
                  retryAt={problem.retryAt}
                  onRetry={() => void outbox.sendAgain(conversationId)}
                />
              )}
            </>
          }
        >
          Not sent. {problem.message}
        </Notice>
      )}
    </div>
  );
}
