import { useMutation } from "@apollo/client/react";
import { useState } from "react";

import { toProblem } from "../client/errors.js";
import { UpdateConversationDocument } from "../client/generated/operations.js";
import type { ConversationHeadFragment } from "../client/generated/operations.js";
import { Dialog } from "../parts/Dialog.js";
import { Notice } from "../parts/Notice.js";
import { SettingsFields } from "./SettingsFields.js";

interface Props {
  conversation: ConversationHeadFragment;
  onClose: () => void;
}

/** Voice and instructions of a saved conversation: they hold from the next turn on. */
export function SettingsDialog({ conversation, onClose }: Props) {
  const [update, { loading, error }] = useMutation(UpdateConversationDocument);
  const [voice, setVoice] = useState<string | null>(conversation.voice);
  const [instructions, setInstructions] = useState(conversation.instructions ?? "");
  const keep = async () => {
    const input = { conversationId: conversation.id, voice, instructions };
    try {
      await update({ variables: { input } });
      onClose();
    } catch {
      // `error` tells.
    }
  };
  return (
    <Dialog title="Voice and instructions" onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void keep();
        }}
      >
        <SettingsFields
          voice={voice}
          instructions={instructions}
          onVoice={setVoice}
          onInstructions={setInstructions}
        />
        {error !== undefined && <Notice>{toProblem(error).message}</Notice>}
        <div className="actions">
          <button type="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" className="primary" disabled={loading}>
            Save
          </button>
        </div>
      </form>
    </Dialog>
  );
}
