import { useEffect } from "react";

import { isRefusal } from "../client/errors.js";
import type { Problem } from "../client/errors.js";
import { Notice } from "../parts/Notice.js";
import { RetryButton } from "../parts/RetryButton.js";
import { useKeptFocus } from "../parts/use-kept-focus.js";
import { useServices } from "../services.js";
import { useSessions } from "../sessions-context.js";

/** All that is shown while everything is deleted: nothing else of the page asks the server for anything meanwhile. */
export function DeletionPage({ state }: { state: "running" | Problem }) {
  const keptFocus = useKeptFocus<HTMLElement>((page) => page);
  const { ref } = keptFocus;
  useEffect(() => ref.current?.focus(), [ref]);
  return (
    <main className="lone-page" tabIndex={-1} aria-busy={state === "running"} {...keptFocus}>
      {state === "running" ? <Running /> : <Failed problem={state} />}
    </main>
  );
}

function Running() {
  return (
    <>
      <h1>Deleting everything…</h1>
      <p role="status">It takes some seconds, and is carried out even if you close this window.</p>
      <progress aria-label="Deletion" />
    </>
  );
}

function Failed({ problem }: { problem: Problem }) {
  const sessions = useSessions();
  const { deletion } = useServices();
  return (
    <>
      <h1>Delete everything</h1>
      <Notice>{sentenceOf(problem)}</Notice>
      <div className="actions">
        {isRefusal(problem) ? (
          <button type="button" className="primary" onClick={() => sessions.signOut()}>
            Sign out
          </button>
        ) : (
          <button type="button" onClick={() => deletion.dismiss()}>
            Back
          </button>
        )}
        {canTryAgain(problem) && (
          <RetryButton
            label="Try again"
            retryAt={problem.retryAt}
            onRetry={() => void sessions.deleteEverything()}
          />
        )}
      </div>
    </>
  );
}

/** With these the server says that it has not begun. Of all else nobody knows: a proxy may only have waited too little. */
const refusals: readonly string[] = ["FORBIDDEN", "RATE_LIMITED"];

/** Asking twice does no harm. */
function canTryAgain(problem: Problem): boolean {
  return !isRefusal(problem) && (problem.retryable || !refusals.includes(problem.code));
}

/** A request whose answer was lost may have been the one that was carried out, and has taken the key with it. */
function sentenceOf(problem: Problem): string {
  if (isRefusal(problem))
    return "What you signed in with is good no more. If everything was deleted already, your keys went with it; sign in again to see what is there.";
  if (refusals.includes(problem.code)) return `Nothing was deleted. ${problem.message}`;
  return `${problem.message} If the server has heard of this, it carries it out in any case; try again to be sure.`;
}
