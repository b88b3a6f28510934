import { Notice } from "../parts/Notice.js";
import { useSecondsUntil } from "../parts/use-seconds-until.js";
import { useServices } from "../services.js";
import { useSending } from "./use-sending.js";

/** Waits up to this are counted down. */
const soonSeconds = 60;

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
                <SendAgain
                  key={problem.retryAt}
                  retryAt={problem.retryAt}
                  onSend={() => void outbox.sendAgain(conversationId)}
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

/** Counts down where it is soon. What is further off may be allowed earlier all the same, by whoever runs the server. */
function SendAgain({ retryAt, onSend }: { retryAt: string | null; onSend: () => void }) {
  const seconds = useSecondsUntil(retryAt);
  const isSoon = seconds > 0 && seconds <= soonSeconds;
  return (
    <button
      type="button"
      className="primary"
      aria-disabled={isSoon}
      onClick={() => {
        if (!isSoon) onSend();
      }}
    >
      {isSoon ? `Send again in ${seconds} s` : "Send again"}
    </button>
  );
}
