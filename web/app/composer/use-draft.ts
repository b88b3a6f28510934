import { useEffect, useMemo, useState } from "react";

import { Remembered } from "../remembered.js";

/**
 * What is being written in a conversation; a reload of the tab does not lose it. `goesOn`: the conversation was begun here
 * just now, so that what was written while its first message was sent belongs to it. The third of what is answered puts back
 * what could not be sent, in front of what was written since.
 */
export function useDraft(
  conversationId: string | null,
  goesOn: boolean,
): [string, (text: string) => void, (text: string) => void] {
  const memory = useMemo(() => memoryOf(conversationId), [conversationId]);
  const [text, setText] = useState(() => memory.read() ?? (goesOn ? memoryOf(null).read() : null) ?? "");
  useEffect(() => {
    if (goesOn) memoryOf(null).write(null);
  }, [goesOn]);
  useEffect(() => memory.write(text), [memory, text]);
  const putBack = (unsent: string) => {
    // Also where it was left meanwhile: it is there for whoever comes back.
    memory.write(inFront(unsent, memory.read() ?? ""));
    setText((since) => inFront(unsent, since));
  };
  return [text, setText, putBack];
}

function inFront(unsent: string, since: string): string {
  return unsent === "" || since === "" ? unsent + since : `${unsent}\n${since}`;
}

function memoryOf(conversationId: string | null): Remembered {
  return new Remembered("tab", `draft.${conversationId ?? "new"}`);
}
