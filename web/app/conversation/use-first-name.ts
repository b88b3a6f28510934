import { useMutation } from "@apollo/client/react";
import { useEffect, useRef } from "react";

import { UpdateConversationDocument } from "../client/generated/operations.js";
import { titleOf } from "../composer/title.js";
import type { OpenConversation } from "./use-conversation.js";

/**
 * Names a conversation that began here by voice: nobody wrote anything that could name it, so the first words of the answer
 * do. One that has a name keeps it.
 */
export function useFirstName({ conversation, turns }: OpenConversation, isBegun: boolean): void {
  const [update] = useMutation(UpdateConversationDocument);
  const isDone = useRef(!isBegun);
  const [first] = turns;
  const answer = first?.status === "COMPLETED" ? (first.assistantMessage?.content ?? null) : null;
  useEffect(() => {
    if (isDone.current || conversation === null || answer === null) return;
    isDone.current = true;
    const title = titleOf(answer);
    if (conversation.title !== null || title === null) return;
    // Without a connection it stays unnamed.
    update({ variables: { input: { conversationId: conversation.id, title } } }).catch(() => undefined);
  }, [conversation, answer, update]);
}
