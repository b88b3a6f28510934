import { Notice } from "../parts/Notice.js";
import { useServices } from "../services.js";
import type { Sending } from "./outbox.js";

/** A message that the server does not have yet. */
export function Unsent({ sending }: { sending: Sending }) {
  const { outbox } = useServices();
  const { draft, problem } = sending;
  return (
    <div className="turn" aria-busy={problem === null}>
      <div className="message question unsent">
        {draft.text !== "" && <p className="words">{draft.text}</p>}
        {draft.sound !== null && <p className="remark">A sound of {Math.ceil(draft.sound.size / 1024)} kB</p>}
        {problem === null && <p className="remark">Sending…</p>}
      </div>
      {problem !== null && (
        <Notice
          actions={
            <>
              <button type="button" onClick={() => outbox.takeBack()}>
                Discard
              </button>
              <button type="button" className="primary" onClick={() => void outbox.sendAgain()}>
                Send again
              </button>
            </>
          }
        >
          Not sent. {problem.message}
        </Notice>
      )}
    </div>
  );
}
