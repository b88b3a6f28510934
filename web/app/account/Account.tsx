import { useState } from "react";

import { asSize } from "../parts/format.js";
import { useWatched } from "../parts/use-watched.js";
import { useServices } from "../services.js";
import { AccountDialog } from "./AccountDialog.js";
import type { ExportState } from "./data-export.js";
import { DeletionDialog } from "./DeletionDialog.js";

/** What the person has on this server as a whole, and, where people sign in, the way out. */
export function Account() {
  const { signIn, dataExport } = useServices();
  const isSignedIn = useWatched(signIn.state) !== "unasked";
  const download = useWatched(dataExport.state);
  const [open, setOpen] = useState<"settings" | "deletion" | null>(null);
  const close = () => setOpen(null);
  return (
    <>
      <div className="account">
        <span>{remarkOf(download) ?? (isSignedIn && "Signed in")}</span>
        <button type="button" onClick={() => setOpen("settings")}>
          Settings
        </button>
      </div>
      {open === "settings" && (
        <AccountDialog isSignedIn={isSignedIn} onClose={close} onDelete={() => setOpen("deletion")} />
      )}
      {open === "deletion" && <DeletionDialog isSignedIn={isSignedIn} onClose={close} />}
    </>
  );
}

/** Of who has signed in only that they have: the server's names of people tell nobody anything. */
function remarkOf(download: ExportState): string | null {
  if (download.kind === "running") return `Downloading… ${asSize(download.bytes)}`;
  return download.kind === "failed" ? "The download failed." : null;
}
