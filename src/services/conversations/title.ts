/**
 * A title as search and order by title see it: without differences of case (by way of upper case, which makes ß and SS
 * one; ς is σ at the end of a word), compatibility forms unified. `%`, `_` and `\` stand for themselves: they are
 * wildcards in the databases' LIKE, so private-use characters take their place on both sides.
 */
export function titleKey(title: string | null): string {
  return (title ?? "")
    .normalize("NFKC")
    .toUpperCase()
    .toLowerCase()
    .replaceAll("ς", "σ")
    .replaceAll("%", "\ue025")
    .replaceAll("_", "\ue05f")
    .replaceAll("\\", "\ue05c");
}
