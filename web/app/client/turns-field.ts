import type { FieldFunctionOptions, FieldPolicy, Reference } from "@apollo/client";

/** The turns of a conversation as the cache holds them: those that were read, without gaps, up to the last. */
export interface HeldTurns {
  nodes: readonly Reference[];
  pageInfo: { hasPreviousPage: boolean; startCursor: string | null };
}

/**
 * Pages of `turns(last:, before:)` become one list in the order of positions. Turns are never taken away, so what was read
 * stays: a newer page or a new turn only adds to it. Where so much was said meanwhile that the newest page does not reach
 * back to what was read, it takes its place: a list with a hole would look whole. An earlier page that comes after that, and
 * does not reach up to it, is left out for the same reason.
 */
export const turnsField: FieldPolicy<HeldTurns> = {
  keyArgs: false,
  merge(existing, incoming, options) {
    if (existing === undefined) return incoming;
    if (isBeyond(existing.nodes, incoming.nodes, options)) return incoming;
    if (isBeyond(incoming.nodes, existing.nodes, options)) return existing;
    const nodes = inOrder([...existing.nodes, ...incoming.nodes], options);
    // What precedes the list is told by the page that begins it.
    const isEarlier = nodes[0]?.__ref !== existing.nodes[0]?.__ref;
    return { ...incoming, nodes, pageInfo: isEarlier ? incoming.pageInfo : existing.pageInfo };
  },
};

/** Adds a turn that an event told of. */
export function withTurn(held: HeldTurns, turn: Reference, options: Reading): HeldTurns {
  if (held.nodes.some(({ __ref }) => __ref === turn.__ref)) return held;
  return { ...held, nodes: inOrder([...held.nodes, turn], options) };
}

type Reading = Pick<FieldFunctionOptions, "readField">;

/** Whether something is missing between the end of one and the start of a later one. */
function isBeyond(one: readonly Reference[], later: readonly Reference[], { readField }: Reading): boolean {
  const last = one.at(-1);
  const [first] = later;
  if (first === undefined || last === undefined) return false;
  const positionOf = (turn: Reference) => readField<number>("position", turn) ?? 0;
  return positionOf(first) > positionOf(last) + 1;
}

function inOrder(turns: readonly Reference[], { readField }: Reading): Reference[] {
  const unique = [...new Map(turns.map((turn) => [turn.__ref, turn])).values()];
  const positionOf = (turn: Reference) => readField<number>("position", turn) ?? 0;
  return unique.sort((one, other) => positionOf(one) - positionOf(other));
}
