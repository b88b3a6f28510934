/** How many characters of the first question name a conversation. */
const titleLength = 60;

/** The first words, up to 60 characters; null where there are none. */
export function titleOf(text: string): string | null {
  const line = text.trim().replace(/\s+/g, " ");
  if (line.length <= titleLength) return line === "" ? null : line;
  return `${line.slice(0, titleLength - 1).replace(/\s+\S*$/, "")}…`;
}
