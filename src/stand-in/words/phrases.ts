import type { InputClip } from "../checks/chat-request.js";
import type { UserTurn } from "./conversation.js";

const quotedWords = 24;

/** The text in quotation marks, on one line and cut after a number of words. */
export function quote(text: string, maxWords = quotedWords): string {
  const words = text.replace(/["“”]/g, "'").split(/\s+/).filter(Boolean);
  const shown = words.slice(0, maxWords).map((word) => word.slice(0, 60));
  return `"${shown.join(" ")}${words.length > maxWords ? " ..." : ""}"`;
}

export function seconds(clips: readonly InputClip[]): string {
  const totalMs = clips.reduce((sum, clip) => sum + clip.durationMs, 0);
  const shown = (totalMs / 1000).toFixed(1);
  return `${shown} seconds`;
}

/** What the user did in a turn, as the rest of a sentence that begins with "you". */
export function describeUser(turn: UserTurn): string {
  const wrote = askedOrSaid(turn.text);
  if (turn.clips.length === 0) return turn.text === "" ? "said nothing" : wrote;
  const spoke =
    turn.sound.kind === "words"
      ? askedOrSaid(turn.sound.words)
      : `sent a spoken message of ${seconds(turn.clips)}`;
  return turn.text === "" ? spoke : `${spoke} and ${wrote}`;
}

function askedOrSaid(words: string): string {
  return `${words.endsWith("?") ? "asked" : "said"} ${quote(words)}`;
}

const maxSentenceWords = 40;

/** The first sentence of a text, cut where it does not end in time. */
export function firstSentence(text: string): string {
  const words = text.split(/\s+/).filter(Boolean).slice(0, maxSentenceWords);
  const end = words.findIndex((word) => /[.!?]["')]*$/.test(word));
  return words.slice(0, end === -1 ? words.length : end + 1).join(" ");
}
