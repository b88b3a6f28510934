import { Dialog } from "../parts/Dialog.js";
import { useSessions } from "../sessions-context.js";
import { Download } from "./Download.js";

interface Props {
  isSignedIn: boolean;
  onClose: () => void;
  onDelete: () => void;
}

export function AccountDialog({ isSignedIn, onClose, onDelete }: Props) {
  return (
    <Dialog title="Settings" onClose={onClose}>
      <h3>Your data</h3>
      <p>
        Everything of yours on this server, as one ZIP: all conversations with their words and sound, and what
        the answers have cost.
      </p>
      <Download isSignedIn={isSignedIn} />
      <p>Or remove all of it from the server, for good. You are asked once more.</p>
      <button type="button" className="dangerous" onClick={onDelete}>
        Delete everything…
      </button>
      {isSignedIn && <SignOut />}
      <div className="actions">
        <button type="button" onClick={onClose}>
          Close
        </button>
      </div>
    </Dialog>
  );
}

function SignOut() {
  const sessions = useSessions();
  return (
    <>
      <h3>Signing out</h3>
      <p>
        It removes from this tab what was read, what was written and not sent, and the token or key. On the
        server everything stays.
      </p>
      <button type="button" onClick={() => sessions.signOut()}>
        Sign out
      </button>
    </>
  );
}
