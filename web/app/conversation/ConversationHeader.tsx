import { useMutation } from "@apollo/client/react";
import { useState } from "react";

import { toProblem } from "../client/errors.js";
import {
  ArchiveConversationDocument,
  DeleteConversationDocument,
  UpdateConversationDocument,
} from "../client/generated/operations.js";
import type { ConversationHeadFragment } from "../client/generated/operations.js";
import { Dialog } from "../parts/Dialog.js";
import { IconButton } from "../parts/IconButton.js";
import { Notice } from "../parts/Notice.js";
import { go, place } from "../place.js";
import { BackButton } from "./BackButton.js";
import { SettingsDialog } from "./SettingsDialog.js";
import { Title } from "./Title.js";

/** The conversation's name, and what can be done with it as a whole. */
export function ConversationHeader({ conversation }: { conversation: ConversationHeadFragment }) {
  const [archive] = useMutation(ArchiveConversationDocument);
  const [update] = useMutation(UpdateConversationDocument);
  const [open, setOpen] = useState<{ dialog: "settings" | "delete" } | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const { id: conversationId, archivedAt } = conversation;
  const tell = (error: unknown) => setProblem(toProblem(error).message);
  // Only this one: by the time that an answer closes it, it may be closed already, and another one open.
  const close = () => setOpen((now) => (now === open ? null : now));

  const rename = (title: string) => update({ variables: { input: { conversationId, title } } }).catch(tell);
  const putAway = () =>
    archive({ variables: { input: { conversationId, archived: archivedAt === null } } }).catch(tell);

  return (
    <header className="pane-header">
      <BackButton />
      <Title title={conversation.title} onRename={(title) => void rename(title)} />
      {archivedAt !== null && <span className="tag">Archived</span>}
      <IconButton
        icon="settings"
        label="Voice and instructions"
        onClick={() => setOpen({ dialog: "settings" })}
      />
      <IconButton
        icon="archive"
        label={archivedAt === null ? "Archive" : "Take out of the archive"}
        aria-pressed={archivedAt !== null}
        onClick={() => void putAway()}
      />
      <IconButton icon="delete" label="Delete" onClick={() => setOpen({ dialog: "delete" })} />
      {problem !== null && (
        <Notice actions={<button onClick={() => setProblem(null)}>Close</button>}>{problem}</Notice>
      )}
      {open?.dialog === "settings" && <SettingsDialog conversation={conversation} onClose={close} />}
      {open?.dialog === "delete" && (
        <DeleteDialog conversationId={conversationId} onClose={close} onError={tell} />
      )}
    </header>
  );
}

interface DeleteProps {
  conversationId: string;
  onClose: () => void;
  onError: (error: unknown) => void;
}

function DeleteDialog({ conversationId, onClose, onError }: DeleteProps) {
  const [remove, { loading }] = useMutation(DeleteConversationDocument);
  const confirm = async () => {
    try {
      await remove({ variables: { input: { conversationId } } });
      // Whoever has gone elsewhere meanwhile stays there.
      const here = place.get();
      if (here.kind === "conversation" && here.id === conversationId) go({ kind: "list" });
    } catch (error) {
      onClose();
      onError(error);
    }
  };
  return (
    <Dialog title="Delete this conversation?" onClose={onClose}>
      <p>Its words and all of its sound are removed for good.</p>
      <div className="actions">
        <button type="button" onClick={onClose}>
          Keep
        </button>
        <button type="button" className="danger" disabled={loading} onClick={() => void confirm()}>
          Delete
        </button>
      </div>
    </Dialog>
  );
}
