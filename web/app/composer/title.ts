/** How many characters of the first question name a conversation. */
const titleLength = 60;

/** The first words, up to 60 characters; null where there are none. */
export function titleOf(text: string): string | null {
  const line = text.trim().replace(/\s+/g, " ");
  // By code points: half an emoji is no character.
  const characters = Array.from(line);
  if (characters.length <= titleLength) return line === "" ? null : line;
  const start = characters.slice(0, titleLength - 1).join("");
  return `${start.replace(/\s+\S*$/, "")}…`;
}
