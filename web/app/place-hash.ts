/**
 * What the page shows: nothing but the list, a conversation that is still to begin, or a saved one. `begun`: its first
 * message was sent here just now.
 */
export type Place =
  { kind: "list" } | { kind: "new" } | { kind: "conversation"; id: string; begun?: boolean };

export function hashOf(next: Place): string {
  switch (next.kind) {
    case "list":
      return "#";
    case "new":
      return "#new";
    case "conversation":
      return `#${next.id}`;
  }
}

export function placeOf(hash: string): Place {
  const text = hash.replace(/^#/, "");
  if (text === "new") return { kind: "new" };
  return /^conv_\w{1,64}$/.test(text) ? { kind: "conversation", id: text } : { kind: "list" };
}
