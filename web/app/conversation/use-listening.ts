import { useCallback, useEffect, useState } from "react";

import type { TurnFieldsFragment } from "../client/generated/operations.js";
import { useWatched } from "../parts/use-watched.js";
import { useServices } from "../services.js";
import { isRunning } from "./Answer.js";
import { heard } from "./heard.js";
import { Listening } from "./listening.js";
import type { TurnListener } from "./turn-listener.js";

/** Hears the turn that runs, with its sound where this tab has asked for it; `listen` asks for it. */
export function useListening(turns: readonly TurnFieldsFragment[]): {
  listener: TurnListener | null;
  listen: () => void;
} {
  const { client } = useServices();
  const [listening] = useState(() => new Listening(client));
  const listener = useWatched<TurnListener | null>(listening.listener);
  const [asked, setAsked] = useState<string | null>(null);
  const running = turns.findLast(isRunning);
  const id = running?.id;
  const attempt = running?.attempt;
  const withSound = id !== undefined && (asked === id || heard.of(id) !== null);

  useEffect(() => {
    if (id !== undefined && attempt !== undefined) listening.hear(id, attempt, withSound);
  }, [listening, id, attempt, withSound]);
  useEffect(() => () => listening.stop(), [listening]);

  const listen = useCallback(() => {
    if (id === undefined) return;
    heard.begin(id);
    setAsked(id);
  }, [id]);
  return { listener, listen };
}
