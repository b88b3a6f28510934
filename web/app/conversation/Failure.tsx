import { useMutation } from "@apollo/client/react";
import { useState } from "react";

import { toProblem } from "../client/errors.js";
import type { Problem } from "../client/errors.js";
import { RetryTurnDocument } from "../client/generated/operations.js";
import type { TurnFieldsFragment } from "../client/generated/operations.js";
import { newKey } from "../composer/outbox.js";
import { Icon } from "../parts/Icon.js";
import { heard } from "./heard.js";
import { useSecondsUntil } from "../parts/use-seconds-until.js";

/** Why a turn has no whole answer, and the way to ask again where that can help. Nothing for a complete one. */
export function Failure({ turn, isLast }: { turn: TurnFieldsFragment; isLast: boolean }) {
  // Anew for each attempt, also where nobody has seen it run: its key and what went wrong are the attempt's own.
  const key = turn.attempt;
  if (turn.status === "CANCELLED") return <Told key={key} text="Stopped." turn={turn} canRetry={isLast} />;
  if (turn.error === null) return null;
  const { message, retryable } = turn.error;
  return <Told key={key} text={message} turn={turn} canRetry={isLast && retryable} />;
}

function Told({ text, turn, canRetry }: { text: string; turn: TurnFieldsFragment; canRetry: boolean }) {
  const [retryTurn, { loading }] = useMutation(RetryTurnDocument);
  const [problem, setProblem] = useState<Problem | null>(null);
  // One key for this attempt: a second press, or a press in another tab, runs nothing twice.
  const [key] = useState(newKey);
  const seconds = useSecondsUntil(turn.error?.retryAfter ?? null);
  const retry = () => {
    setProblem(null);
    heard.begin(turn.id);
    retryTurn({ variables: { input: { turnId: turn.id, idempotencyKey: key, waitMs: 0 } } }).catch(
      (error: unknown) => setProblem(toProblem(error)),
    );
  };
  return (
    <div className={turn.status === "FAILED" ? "failure" : "remark"} role="note">
      <p>{problem?.message ?? text}</p>
      {canRetry && (
        <button type="button" disabled={loading || seconds > 0} onClick={retry}>
          <Icon name="retry" /> {seconds > 0 ? `Ask again in ${seconds} s` : "Ask again"}
        </button>
      )}
    </div>
  );
}
