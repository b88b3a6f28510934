import { useState } from "react";

import { useKeptFocus } from "../parts/use-kept-focus.js";

export const untitled = "Untitled conversation";
const maxLength = 200;

interface Props {
  title: string | null;
  onRename: (title: string) => void;
}

/** The name of a conversation, which can be written over: Enter keeps it, Escape does not. */
export function Title({ title, onRename }: Props) {
  const [draft, setDraft] = useState<string | null>(null);
  const focus = useKeptFocus<HTMLHeadingElement>((heading) => heading.querySelector("button, input"));
  const keep = () => {
    if (draft !== null && draft.trim() !== (title ?? "")) onRename(draft.trim());
    setDraft(null);
  };
  return (
    <h1 {...focus}>
      {draft === null ? (
        <button
          type="button"
          className="title"
          title="Rename"
          dir="auto"
          onClick={() => setDraft(title ?? "")}
        >
          {title ?? untitled}
          <span className="visually-hidden">, rename</span>
        </button>
      ) : (
        <form
          className="title"
          onSubmit={(event) => {
            event.preventDefault();
            keep();
          }}
        >
          <input
            autoFocus
            aria-label="Name of the conversation"
            dir="auto"
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
      )}
    </h1>
  );
}
