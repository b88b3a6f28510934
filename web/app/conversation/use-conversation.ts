import { NetworkStatus } from "@apollo/client";
import { useQuery } from "@apollo/client/react";
import { useEffect, useState } from "react";

import { addTurn } from "../client/add-turn.js";
import { toProblem } from "../client/errors.js";
import type { Problem } from "../client/errors.js";
import { follow } from "../client/follow.js";
import { ConversationEventsDocument, OpenConversationDocument } from "../client/generated/operations.js";
import type { OpenConversationQuery, TurnFieldsFragment } from "../client/generated/operations.js";
import { useServices } from "../services.js";

/** How many turns are read at once. */
const pageSize = 20;

export interface OpenConversation {
  conversation: NonNullable<OpenConversationQuery["conversation"]> | null;
  turns: readonly TurnFieldsFragment[];
  loading: boolean;
  /** Why it can't be shown; null where it can. */
  problem: Problem | null;
  /** Whether there are turns before those that were read. */
  hasEarlier: boolean;
  readEarlier: () => Promise<void>;
  readAgain: () => Promise<void>;
}

const deleted: Problem = {
  code: "NOT_FOUND",
  message: "There is no such conversation any more.",
  retryable: false,
  retryAt: null,
};

/** A saved conversation as it is now, and as it changes in whatever tab or on whatever device. */
export function useConversation(id: string): OpenConversation {
  const { client } = useServices();
  const { data, error, loading, networkStatus, fetchMore, refetch } = useQuery(OpenConversationDocument, {
    variables: { id, last: pageSize },
    fetchPolicy: "cache-and-network",
    nextFetchPolicy: "cache-first",
  });
  const [isDeleted, setDeleted] = useState(false);
  const [round, setRound] = useState(0);
  const conversation = data?.conversation ?? null;
  // One that was open before is shown at once, while it is read again: that answer would undo what events told meanwhile.
  const isRead = conversation !== null && networkStatus !== NetworkStatus.loading;

  useEffect(() => {
    if (!isRead) return;
    // The cursor was read together with the turns: what happens from there on is missed by neither.
    const after = client.readQuery({ query: OpenConversationDocument, variables: { id, last: pageSize } });
    return follow(client, {
      subscription: ConversationEventsDocument,
      variables: (cursor) => ({ conversationId: id, after: cursor }),
      after: after?.conversation?.eventCursor ?? null,
      onEvent: ({ conversationEvents }) => {
        if (conversationEvents.__typename === "ConversationDeleted") setDeleted(true);
        else if (conversationEvents.__typename === "ConversationTurnChanged")
          addTurn(client.cache, id, conversationEvents.turn);
        return conversationEvents.cursor;
      },
      onEnd: (problem) => {
        if (problem?.code === "NOT_FOUND") setDeleted(true);
        // The events behind the cursor are gone after a week: what is now is read anew, and followed from there.
        if (problem?.code === "CURSOR_EXPIRED")
          refetch().then(
            () => setRound((number) => number + 1),
            () => undefined,
          );
      },
    });
  }, [client, id, isRead, refetch, round]);

  return {
    conversation,
    turns: conversation?.turns.nodes ?? [],
    loading: loading && conversation === null,
    problem: problemOf(error, isDeleted || (!loading && error === undefined && conversation === null)),
    hasEarlier: conversation?.turns.pageInfo.hasPreviousPage ?? false,
    readEarlier: async () => {
      const before = conversation?.turns.pageInfo.startCursor ?? null;
      await fetchMore({ variables: { before } });
    },
    readAgain: async () => {
      await refetch();
    },
  };
}

function problemOf(error: unknown, isGone: boolean): Problem | null {
  if (isGone) return deleted;
  return error === undefined ? null : toProblem(error);
}
