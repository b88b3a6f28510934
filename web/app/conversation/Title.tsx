import { useState } from "react";

export const untitled = "Untitled conversation";
const maxLength = 200;

interface Props {
  title: string | null;
  onRename: (title: string) => void;
}

/** The name of a conversation, which can be written over: Enter keeps it, Escape does not. */
export function Title({ title, onRename }: Props) {
  const [draft, setDraft] = useState<string | null>(null);
  const keep = () => {
    if (draft !== null && draft.trim() !== (title ?? "")) onRename(draft);
    setDraft(null);
  };
  if (draft === null) {
    return (
      <h1>
        <button type="button" className="title" title="Rename" onClick={() => setDraft(title ?? "")}>
          {title ?? untitled}
          <span className="visually-hidden">, rename</span>
        </button>
      </h1>
    );
  }
  return (
    <form
      className="title"
      onSubmit={(event) => {
        event.preventDefault();
        keep();
      }}
    >
      <input
        ref={(input) => input?.focus()}
        aria-label="Name of the conversation"
        value={draft}
        maxLength={maxLength}
        placeholder={untitled}
        onChange={(event) => setDraft(event.currentTarget.value)}
        onBlur={keep}
        onKeyDown={(event) => {
          if (event.key === "Escape") setDraft(null);
        }}
      />
    </form>
  );
}
