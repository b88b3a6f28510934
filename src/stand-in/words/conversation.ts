import type { ChatMessage, ChatRequest, InputClip } from "../checks/chat-request.js";

/** The conversation as the words of an answer see it. */
export interface Conversation {
  /** System and developer messages, joined. Empty where there are none. */
  instructions: string;
  /** The exchanges before the one to be answered. */
  earlier: Exchange[];
  latest: UserTurn;
}

export interface UserTurn {
  text: string;
  clips: InputClip[];
}

export interface Exchange {
  user: UserTurn;
  /** What the assistant said, or wrote. Empty where the history holds nothing of it. */
  answer: string;
}

const nothingSaid: UserTurn = { text: "", clips: [] };

export function readConversation(request: ChatRequest): Conversation {
  const instructions: string[] = [];
  const exchanges: Exchange[] = [];
  for (const message of request.messages) {
    if (message.role === "system" || message.role === "developer") instructions.push(message.text.trim());
    else addMessage(exchanges, message);
  }
  const last = exchanges.at(-1);
  // A request may end in an assistant message: there is then nothing new to answer.
  const latest = last !== undefined && last.answer === "" ? exchanges.pop()?.user : undefined;
  return { instructions: instructions.join(" "), earlier: exchanges, latest: latest ?? nothingSaid };
}

function addMessage(exchanges: Exchange[], message: ChatMessage): void {
  const last = exchanges.at(-1);
  if (message.role === "user") {
    exchanges.push({ user: { text: message.text.trim(), clips: message.clips }, answer: "" });
  } else if (message.role === "assistant" && last !== undefined) {
    last.answer = `${last.answer} ${message.text}`.trim();
  }
}
