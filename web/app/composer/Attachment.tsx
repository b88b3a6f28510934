import { useEffect, useRef } from "react";

import { Icon } from "../parts/Icon.js";
import { IconButton } from "../parts/IconButton.js";

/** A sound file that goes with the next message. */
export function Attachment({ file, onRemove }: { file: File; onRemove: () => void }) {
  const player = useRef<HTMLAudioElement>(null);
  useEffect(() => {
    const url = URL.createObjectURL(file);
    if (player.current !== null) player.current.src = url;
    return () => URL.revokeObjectURL(url);
  }, [file]);
  return (
    <div className="attachment">
      <span className="name">{file.name}</span>
      <audio controls ref={player} aria-label={`The sound file ${file.name}`} />
      <IconButton icon="close" label={`Remove ${file.name}`} onClick={onRemove} />
    </div>
  );
}

/** Opens the browser's file dialog. */
export function AttachButton({ onChosen }: { onChosen: (file: File) => void }) {
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <button
        type="button"
        className="icon-button"
        aria-label="Attach a sound file"
        title="Attach a sound file"
        onClick={() => input.current?.click()}
      >
        <Icon name="attach" />
      </button>
      <input
        ref={input}
        type="file"
        accept="audio/*,video/webm,video/mp4"
        hidden
        onChange={(event) => {
          const file = event.currentTarget.files?.[0];
          if (file !== undefined) onChosen(file);
          // So that the same file can be chosen again.
          event.currentTarget.value = "";
        }}
      />
    </>
  );
}
