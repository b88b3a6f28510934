/** Long enough for a natural melody, short enough that the first sound comes early. */
const maxPieceCharacters = 160;
const endOfSentence = /[.!?;:]["')\]]*\s*$/;

/**
 * Cuts a text into pieces to be spoken one after the other: sentences, and parts of a sentence that is too long.
 * Joined, the pieces are the text.
 */
export function splitIntoPieces(text: string): string[] {
  const pieces: string[] = [];
  let piece = "";
  for (const word of splitIntoWords(text)) {
    if (piece !== "" && piece.length + word.length > maxPieceCharacters) {
      pieces.push(piece);
      piece = "";
    }
    piece += word;
    if (!endOfSentence.test(word)) continue;
    pieces.push(piece);
    piece = "";
  }
  return piece === "" ? pieces : [...pieces, piece];
}

/** Words, each with the white space that follows it (the first also with what comes before). Joined: the text. */
export function splitIntoWords(text: string): string[] {
  return text.match(/^\s+\S*\s*|\S+\s*/g) ?? [];
}

const maxSpokenWord = 40;

/**
 * The text as flite can read it. It has to be ASCII: the arguments of the program are sized by characters and written
 * as UTF-8, so that anything else would be written past its memory. Empty where nothing can be spoken.
 */
export function pronounceable(text: string): string {
  const ascii = text
    .normalize("NFKD")
    .replace(/[‘’]/g, "'")
    .replace(/[^\x20-\x7e]+/g, (other) => (/^\p{M}+$/u.test(other) ? "" : " "));
  const words = ascii.split(" ").filter(Boolean);
  const spoken = words.map((word) => word.slice(0, maxSpokenWord)).join(" ");
  return /[A-Za-z0-9]/.test(spoken) ? spoken : "";
}
