import { useMutation } from "@apollo/client/react";
import { useCallback } from "react";

import { silence } from "../audio/playback.js";
import { CancelTurnDocument } from "../client/generated/operations.js";
import { heard } from "./heard.js";

/** Stops the sound at once, and the turn that runs: what was received of it is kept. */
export function useStop(turnId: string | null): () => void {
  const [cancelTurn] = useMutation(CancelTurnDocument);
  return useCallback(() => {
    silence();
    if (turnId === null) return heard.end();
    heard.stop(turnId);
    // Where the server can't be reached, the turn goes on and its answer is there when it is reached again.
    cancelTurn({ variables: { input: { turnId } } }).catch(() => undefined);
  }, [cancelTurn, turnId]);
}
