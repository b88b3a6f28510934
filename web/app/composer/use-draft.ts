import { useEffect, useMemo, useState } from "react";

import { Remembered } from "../remembered.js";

/**
 * What is being written in a conversation; a reload of the tab does not lose it. `goesOn`: the conversation was begun here
 * just now, so that what was written while its first message was sent belongs to it.
 */
export function useDraft(conversationId: string | null, goesOn: boolean): [string, (text: string) => void] {
  const memory = useMemo(() => memoryOf(conversationId), [conversationId]);
  const [text, setText] = useState(() => memory.read() ?? (goesOn ? memoryOf(null).read() : null) ?? "");
  useEffect(() => {
    if (goesOn) memoryOf(null).write(null);
  }, [goesOn]);
  useEffect(() => memory.write(text), [memory, text]);
  return [text, setText];
}

function memoryOf(conversationId: string | null): Remembered {
  return new Remembered("tab", `draft.${conversationId ?? "new"}`);
}
