import { useId } from "react";

import type { ReplyKind } from "./use-reply-kind.js";

const kinds: readonly { kind: ReplyKind; label: string }[] = [
  { kind: "spoken", label: "voice and words" },
  { kind: "written", label: "words only" },
];

export function ReplyChoice({ kind, onKind }: { kind: ReplyKind; onKind: (kind: ReplyKind) => void }) {
  const name = useId();
  return (
    <fieldset className="reply-choice">
      <legend className="visually-hidden">Answer with</legend>
      <span aria-hidden="true">Answer with</span>
      {kinds.map((choice) => (
        <label key={choice.kind}>
          <input
            type="radio"
            name={name}
            checked={kind === choice.kind}
            onChange={() => onKind(choice.kind)}
          />
          {choice.label}
        </label>
      ))}
    </fieldset>
  );
}
