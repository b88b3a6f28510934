import { useState } from "react";

import { isRefusal, toProblem } from "../client/errors.js";
import type { Problem } from "../client/errors.js";
import { WhoIsThereDocument } from "../client/generated/operations.js";
import { useServices } from "../services.js";
import { useSessions } from "../sessions-context.js";
import { credentialIn } from "./credential-text.js";

export interface SigningIn {
  busy: boolean;
  /** Why it did not go well; null where nothing was tried, or it is tried now. */
  problem: string | null;
  /** Tries what somebody has put in; resolves when the server has answered. */
  signIn: (text: string) => Promise<void>;
}

export function useSigningIn(): SigningIn {
  const sessions = useSessions();
  const { client } = useServices();
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const attempt = async (text: string) => {
    const credential = credentialIn(text);
    if (credential === null) {
      setProblem("This is no token or key: there are signs in it that none has.");
      return;
    }
    setBusy(true);
    setProblem(null);
    try {
      const { data } = await client.query({
        query: WhoIsThereDocument,
        fetchPolicy: "no-cache",
        // The same query may be waiting for this sign-in: it must not be waited for in turn.
        context: { candidate: credential, queryDeduplication: false },
      });
      if (data !== undefined) sessions.signIn({ credential, viewerId: data.viewer.id });
    } catch (error) {
      setProblem(sentenceOf(toProblem(error)));
    } finally {
      setBusy(false);
    }
  };
  return { busy, problem, signIn: (text) => (busy ? Promise.resolve() : attempt(text)) };
}

function sentenceOf(problem: Problem): string {
  return isRefusal(problem)
    ? "The server does not take this token or key. It may have ended, or be of another server."
    : problem.message;
}
