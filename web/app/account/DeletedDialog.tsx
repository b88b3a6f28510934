import { Dialog } from "../parts/Dialog.js";
import { plural } from "../parts/format.js";
import { useWatched } from "../parts/use-watched.js";
import { useServices } from "../services.js";
import { useSessions } from "../sessions-context.js";
import type { DeletionReceipt } from "./deletion.js";

/** Tells what went, over the empty page of whoever comes next. */
export function DeletedDialog({ receipt }: { receipt: DeletionReceipt }) {
  const sessions = useSessions();
  const wasSignedIn = useWatched(useServices().signIn.state) === "asked";
  const { id, completedAt, conversations, turns, clips } = receipt;
  const isOver = completedAt !== null;
  const close = () => sessions.putReceiptAway();
  return (
    <Dialog title={isOver ? "Everything is deleted" : "Everything is being deleted"} onClose={close}>
      <p>
        {isOver ? "Gone are " : "Gone so far are "}
        {plural(conversations, "conversation")} with {plural(turns, "turn")} and {plural(clips, "sound")}.
      </p>
      {!isOver && (
        <p>
          The server goes on with the rest by itself. Wait some minutes before you begin something new: it may
          go, too.
        </p>
      )}
      {wasSignedIn && (
        <p>
          You are signed out. Keys that were made for you are good no more: whoever runs the server can make a
          new one.
        </p>
      )}
      <p className="remark">
        The receipt is kept as <code>{id}</code>.
      </p>
      <div className="actions">
        <button type="button" className="primary" onClick={close}>
          Close
        </button>
      </div>
    </Dialog>
  );
}
