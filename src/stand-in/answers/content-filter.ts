const categories = ["hate", "self_harm", "sexual", "violence"] as const;
export type FilterCategory = (typeof categories)[number];

/** The annotations of Azure's content filter, with the named category (if any) as the one that was filtered. */
export function filterResults(filtered: FilterCategory | null): Record<string, unknown> {
  return Object.fromEntries(
    categories.map((category) => [
      category,
      category === filtered ? { filtered: true, severity: "high" } : { filtered: false, severity: "safe" },
    ]),
  );
}

export function promptFilterResults(): unknown[] {
  const jailbreak = { filtered: false, detected: false };
  return [{ prompt_index: 0, content_filter_results: { ...filterResults(null), jailbreak } }];
}
