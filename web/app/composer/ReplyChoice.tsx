import { useId } from "react";

import type { ReplyKind } from "./use-reply-kind.js";

const kinds: readonly { kind: ReplyKind; label: string }[] = [
  { kind: "spoken", label: "Answer with voice and words" },
  { kind: "written", label: "Answer with words only" },
];

export function ReplyChoice({ kind, onKind }: { kind: ReplyKind; onKind: (kind: ReplyKind) => void }) {
  const name = useId();
  return (
    <fieldset className="reply-choice">
      <legend className="visually-hidden">How the answer comes</legend>
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
