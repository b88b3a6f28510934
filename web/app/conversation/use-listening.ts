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
  // An event may tell of a turn before the answer to the request does, with which this tab wants to hear it.
  useWatched(heard.wanted);
  const running = turns.findLast(isRunning);
  const id = running?.id;
  const withSound = id !== undefined && (asked === id || heard.of(id) !== null);

  useEffect(() => {
    // Whenever anything changes about it: what says that it runs may be out of date.
    if (running !== undefined) listening.hear(running.id, running.attempt, withSound);
  }, [listening, running, withSound]);
  useEffect(() => () => listening.stop(), [listening]);

  const listen = useCallback(() => {
    if (id === undefined) return;
    heard.begin(id);
    setAsked(id);
  }, [id]);
  return { listener, listen };
}
