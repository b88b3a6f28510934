/**
 * The paths of all sound in an answer, each once, in the answer's order: whatever stands under `url`. Only the path is
 * kept, because the page may load sound from its own origin only, and PUBLIC_URL may name another.
 */
export function clipUrls(answer: unknown): readonly string[] {
  const found = new Set<string>();
  collect(answer, found);
  return [...found];
}

function collect(value: unknown, found: Set<string>): void {
  if (typeof value !== "object" || value === null) return;
  for (const [key, child] of Object.entries(value)) {
    if (key === "url" && typeof child === "string" && URL.canParse(child)) found.add(pathOf(child));
    else collect(child, found);
  }
}

function pathOf(url: string): string {
  const { pathname, search } = new URL(url);
  return pathname + search;
}
