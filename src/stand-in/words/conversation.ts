import type { ChatMessage, ChatRequest, InputClip } from "../checks/chat-request.js";
import type { Heard } from "../hearing/heard.js";
import type { HeardClips } from "../hearing/hearing.js";

/** The conversation as the words of an answer see it. */
export interface Conversation {
  /** System and developer messages, joined. Empty where there are none. */
  instructions: string;
  /** The exchanges before the one to be answered. */
  earlier: Exchange[];
  latest: UserTurn;
}

export interface UserTurn {
  /** What was written. */
  text: string;
  clips: InputClip[];
  sound: Sound;
}

/**
 * What the clips of a turn have brought, together. `unheard`: nobody listened. `nothing`: no words could be made out.
 * `unreadable`: a clip is of a kind that cannot be listened to.
 */
export type Sound =
  | { kind: "none" | "unheard" | "nothing" | "unreadable" }
  | { kind: "words"; words: string; isSure: boolean; cutAfterSeconds: number | null };

export interface Exchange {
  user: UserTurn;
  /** What the assistant said, or wrote. Empty where the history holds nothing of it. */
  answer: string;
}

const nothingSaid: UserTurn = { text: "", clips: [], sound: { kind: "none" } };

export function readConversation(request: ChatRequest, heard: HeardClips): Conversation {
  const instructions: string[] = [];
  const exchanges: Exchange[] = [];
  for (const message of request.messages) {
    if (message.role === "system" || message.role === "developer") instructions.push(message.text.trim());
    else addMessage(exchanges, message, heard);
  }
  const last = exchanges.at(-1);
  // A request may end in an assistant message: there is then nothing new to answer.
  const latest = last !== undefined && last.answer === "" ? exchanges.pop()?.user : undefined;
  return { instructions: instructions.join(" "), earlier: exchanges, latest: latest ?? nothingSaid };
}

function addMessage(exchanges: Exchange[], message: ChatMessage, heard: HeardClips): void {
  const last = exchanges.at(-1);
  if (message.role === "user") {
    const { text, clips } = message;
    exchanges.push({ user: { text: text.trim(), clips, sound: soundOf(clips, heard) }, answer: "" });
  } else if (message.role === "assistant" && last !== undefined) {
    last.answer = `${last.answer} ${message.text}`.trim();
  }
}

function soundOf(clips: readonly InputClip[], heard: HeardClips): Sound {
  const results = clips.flatMap((clip) => heard.get(clip) ?? []);
  if (clips.length === 0) return { kind: "none" };
  if (results.length < clips.length) return { kind: "unheard" };
  if (results.some(({ kind }) => kind === "unreadable")) return { kind: "unreadable" };
  const spoken = results.filter((result): result is Heard & { kind: "words" } => result.kind === "words");
  if (spoken.length === 0) return { kind: "nothing" };
  return {
    kind: "words",
    words: spoken.map(({ text }) => text).join(" "),
    isSure: spoken.every(({ isSure }) => isSure),
    cutAfterSeconds: spoken.find(({ cutAfterSeconds }) => cutAfterSeconds !== null)?.cutAfterSeconds ?? null,
  };
}

/** All that the user has told in the turn, aloud and in writing. */
export function wordsOf({ text, sound }: UserTurn): string {
  return sound.kind === "words" ? `${sound.words} ${text}`.trim() : text;
}
