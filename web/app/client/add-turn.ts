import type { ApolloCache, Reference } from "@apollo/client";

import type { TurnFieldsFragment } from "./generated/operations.js";
import { withTurn } from "./turns-field.js";
import type { HeldTurns } from "./turns-field.js";

/** Puts a turn that is new to this tab at its place in the conversation. The cache knows already what it is. */
export function addTurn(cache: ApolloCache, conversationId: string, turn: TurnFieldsFragment): void {
  cache.modify<{ turns: HeldTurns }>({
    id: `Conversation:${conversationId}`,
    fields: {
      turns: (held, options) => {
        const reference: Reference | undefined = options.toReference(turn);
        return reference === undefined ? held : withTurn(held as HeldTurns, reference, options);
      },
    },
  });
}
