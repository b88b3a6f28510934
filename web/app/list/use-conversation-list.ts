import type { ApolloClient } from "@apollo/client";
import { useQuery } from "@apollo/client/react";
import { useEffect, useMemo } from "react";

import { toProblem } from "../client/errors.js";
import type { Problem } from "../client/errors.js";
import { follow } from "../client/follow.js";
import { ConversationListDocument, ViewerEventsDocument } from "../client/generated/operations.js";
import type { ConversationListQuery } from "../client/generated/operations.js";
import { useServices } from "../services.js";
import { ListReader, pageSize } from "./list-reader.js";

/** Each reading asks the server: `ListReader` tells why. */
const asksAnew = { queryDeduplication: false };

export type ListedConversation = ConversationListQuery["conversations"]["edges"][number]["node"];

export interface ConversationList {
  conversations: readonly ListedConversation[];
  totalCount: number;
  loading: boolean;
  problem: Problem | null;
  hasMore: boolean;
  readMore: () => Promise<void>;
}

/**
 * Follows what happens to the conversations, from now on. The events behind a cursor are gone after a week, and with a
 * person's deletion cursors count anew: then what is now is read, and followed from there.
 */
function followList(client: ApolloClient, reader: ListReader): () => void {
  let cursor: string | null = null;
  let stop: () => void = () => undefined;
  const begin = () => {
    stop = follow(client, {
      subscription: ViewerEventsDocument,
      variables: (after) => ({ after }),
      after: null,
      onEvent: ({ viewerEvents }) => {
        if (viewerEvents.__typename === "ConversationDeleted")
          client.cache.evict({ id: `Conversation:${viewerEvents.conversationId}` });
        reader.again();
        return (cursor = viewerEvents.cursor);
      },
      onEnd: (problem) => {
        // Without a cursor it was refused for something else, and would be again.
        if (cursor === null || !endsCursor(problem)) return;
        cursor = null;
        begin();
        reader.again();
      },
    });
  };
  begin();
  return () => stop();
}

function endsCursor(problem: Problem | null): boolean {
  return problem?.code === "CURSOR_EXPIRED" || problem?.code === "BAD_USER_INPUT";
}

/** The saved conversations whose title holds `search`, newest first, as they are now. */
export function useConversationList(search: string, archived: boolean): ConversationList {
  const { client, connection: server, signIn } = useServices();
  const filter = { archived, search: search.trim() };
  const {
    data: current,
    previousData,
    error,
    loading,
    observable,
  } = useQuery(ConversationListDocument, {
    variables: { filter, first: pageSize },
    context: asksAnew,
    fetchPolicy: "cache-and-network",
    nextFetchPolicy: "cache-first",
  });
  // While another search is under way, what was found before stays.
  const data = current ?? (loading ? previousData : undefined);
  const connection = data?.conversations;

  // The events tell what changed; which conversations are in the list, and in which order, is the server's to say.
  const reader = useMemo(() => new ListReader(observable), [observable]);
  useEffect(() => {
    const stop = followList(client, reader);
    // Before the first event there is no cursor to go on behind, so what happened while the server was away is read.
    const readAgainOnceBack = () => {
      if (server.state.get() === "well" && signIn.state.get() !== "asked-again") reader.again();
    };
    const stopWatching = [server.state, signIn.state].map(({ watch }) => watch(readAgainOnceBack));
    return () => {
      stop();
      for (const stopOne of stopWatching) stopOne();
    };
  }, [client, server, signIn, reader]);

  return {
    conversations: connection?.edges.map(({ node }) => node) ?? [],
    totalCount: connection?.totalCount ?? 0,
    loading: loading && connection === undefined,
    problem: error === undefined ? null : toProblem(error),
    hasMore: connection?.pageInfo.hasNextPage ?? false,
    readMore: () => reader.more(),
  };
}
