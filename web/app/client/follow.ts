import type { ApolloClient, OperationVariables, TypedDocumentNode } from "@apollo/client";

import { toProblem } from "./errors.js";
import type { Problem } from "./errors.js";
import { waitMs } from "./wait-ms.js";

export interface Followed<Data, Variables extends OperationVariables> {
  subscription: TypedDocumentNode<Data, Variables>;
  /** The variables that go on behind a cursor; null: where the subscription begins by itself. */
  variables: (after: string | null) => Variables;
  /** Where to begin. */
  after: string | null;
  /** `no-cache` for events that hold no objects of the cache. */
  fetchPolicy?: "no-cache" | "network-only";
  /** Is called with each event once and in order; answers its cursor. */
  onEvent: (data: Data) => string;
  /** Is called once: null where all was told, else what ended it for good. Never after `stop`. */
  onEnd?: (problem: Problem | null) => void;
}

/**
 * Follows a subscription until its end. A connection that breaks is made anew, and the events go on behind the last
 * cursor: nothing is missed and nothing comes twice, whatever happens to the network or the server in between.
 * Answers the function that stops it.
 */
export function follow<Data, Variables extends OperationVariables>(
  client: ApolloClient,
  followed: Followed<Data, Variables>,
): () => void {
  const stopping = new AbortController();
  let cursor = followed.after;
  let failures = 0;

  const begin = () => {
    let problem: Problem | null = null;
    const { subscription: query, fetchPolicy = "network-only" } = followed;
    const running = client
      .subscribe({ query, variables: followed.variables(cursor), fetchPolicy })
      .subscribe({
        next: ({ data, error }) => {
          if (error !== undefined) problem = toProblem(error);
          else if (data !== undefined) {
            failures = 0;
            cursor = followed.onEvent(data);
          }
        },
        complete: () => proceed(problem),
      });
    stopping.signal.addEventListener("abort", () => running.unsubscribe(), { once: true });
  };

  const proceed = (problem: Problem | null) => {
    if (stopping.signal.aborted) return;
    if (problem?.retryable !== true) return followed.onEnd?.(problem);
    failures += 1;
    onceOnline(waitMs(failures, Math.random()), stopping.signal, begin);
  };

  begin();
  return () => stopping.abort();
}

/** After the time is over, or as soon as the browser is online again. */
function onceOnline(delayMs: number, signal: AbortSignal, act: () => void): void {
  const done = new AbortController();
  const timer = setTimeout(finish, delayMs);
  window.addEventListener("online", finish, { signal: done.signal });
  signal.addEventListener("abort", end, { signal: done.signal });
  function end() {
    clearTimeout(timer);
    done.abort();
  }
  function finish() {
    end();
    act();
  }
}
