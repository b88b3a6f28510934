import { useEffect, useMemo, useState } from "react";

import { Remembered } from "../remembered.js";

/** What is being written in a conversation; a reload of the tab does not lose it. */
export function useDraft(conversationId: string | null): [string, (text: string) => void] {
  const memory = useMemo(() => new Remembered("tab", `draft.${conversationId ?? "new"}`), [conversationId]);
  const [text, setText] = useState(() => memory.read() ?? "");
  useEffect(() => memory.write(text), [memory, text]);
  return [text, setText];
}
