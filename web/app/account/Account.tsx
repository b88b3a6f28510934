import { useState } from "react";

import { Dialog } from "../parts/Dialog.js";
import { useWatched } from "../parts/use-watched.js";
import { useServices } from "../services.js";
import { useSessions } from "../sessions-context.js";

/** Says that somebody has signed in, not who: the server's names of people tell nobody anything. Nothing where nobody has to. */
export function Account() {
  const { signIn } = useServices();
  const state = useWatched(signIn.state);
  const [isOpen, setOpen] = useState(false);
  if (state === "unasked") return null;
  return (
    <>
      <div className="account">
        <span>Signed in</span>
        <button type="button" onClick={() => setOpen(true)}>
          Settings
        </button>
      </div>
      {isOpen && <SettingsDialog onClose={() => setOpen(false)} />}
    </>
  );
}

function SettingsDialog({ onClose }: { onClose: () => void }) {
  const sessions = useSessions();
  return (
    <Dialog title="Settings" onClose={onClose}>
      <p>
        You are signed in. Signing out removes from this tab what was read, what was written and not sent, and
        the token or key. On the server everything stays.
      </p>
      <div className="actions">
        <button type="button" onClick={onClose}>
          Close
        </button>
        <button type="button" className="primary" onClick={() => sessions.signOut()}>
          Sign out
        </button>
      </div>
    </Dialog>
  );
}
