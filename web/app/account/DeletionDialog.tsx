import { useId, useState } from "react";

import { Dialog } from "../parts/Dialog.js";
import { useWatched } from "../parts/use-watched.js";
import { useServices } from "../services.js";
import { useSessions } from "../sessions-context.js";

/** What has to be written, so that nobody deletes everything by a slip. */
const word = "delete";

interface Props {
  isSignedIn: boolean;
  onClose: () => void;
}

export function DeletionDialog({ isSignedIn, onClose }: Props) {
  const sessions = useSessions();
  const isDownloading = useWatched(useServices().dataExport.state).kind === "running";
  const [text, setText] = useState("");
  const id = useId();
  return (
    <Dialog title="Delete everything?" startsAtTitle onClose={onClose}>
      <Consequences isSignedIn={isSignedIn} />
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void sessions.deleteEverything();
        }}
      >
        <label htmlFor={id}>Write &ldquo;{word}&rdquo; to confirm</label>
        <input
          id={id}
          className="confirmation"
          autoComplete="off"
          autoCapitalize="none"
          spellCheck={false}
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
        />
        <p role="status" className="remark">
          {isDownloading &&
            "The download is still under way. Wait for its end, or cancel it in the settings."}
        </p>
        <div className="actions">
          <button type="button" onClick={onClose}>
            Keep
          </button>
          <button
            type="submit"
            className="danger"
            disabled={isDownloading || text.trim().toLowerCase() !== word}
          >
            Delete everything
          </button>
        </div>
      </form>
    </Dialog>
  );
}

function Consequences({ isSignedIn }: { isSignedIn: boolean }) {
  return (
    <>
      <p>It can&rsquo;t be undone. If you want to keep a copy, download everything first.</p>
      <h3>What goes</h3>
      <ul>
        <li>
          All conversations, archived ones too, with their words and sound. Answers that are being given stop.
        </li>
        <li>What is begun elsewhere meanwhile, in another window or by a program, up to a minute later.</li>
        <li>What this tab remembers, such as a message that was not sent.</li>
        {isSignedIn ? (
          <li>The keys that were made for you, for programs too. You are signed out.</li>
        ) : (
          <li>
            All of that of everybody who uses this server: it asks nobody to sign in, so it knows one person
            only.
          </li>
        )}
      </ul>
      <h3>What stays</h3>
      <ul>
        <li>Numbers without you: what answers have cost. And a receipt that tells how much was deleted.</li>
        <li>
          Copies that this server does not have: what you have downloaded, and backups of whoever runs it.
        </li>
      </ul>
    </>
  );
}
