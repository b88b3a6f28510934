import type { ChatRequest } from "../checks/chat-request.js";
import { readConversation, type Conversation } from "./conversation.js";
import { describeUser, quote, seconds } from "./phrases.js";
import { specialAnswer } from "./special-answers.js";

/**
 * What the stand-in says: an answer to the latest message that shows what it knows of the conversation. The same
 * request gets the same words. Never empty.
 */
export function composeWords(request: ChatRequest): string {
  const conversation = readConversation(request);
  const heard = aboutSound(conversation);
  const special = specialAnswer(conversation);
  if (special !== null) return [heard, special].filter(Boolean).join(" ");
  return [heard, aboutText(conversation), aboutInstructions(conversation), aboutEarlier(conversation)]
    .filter(Boolean)
    .join(" ");
}

function aboutSound({ latest }: Conversation): string {
  if (latest.clips.length === 0) return "";
  const what = latest.clips.length === 1 ? "a spoken message" : `${latest.clips.length} spoken messages`;
  return `I received ${what} of ${seconds(latest.clips)}, but I am Parley's stand-in and cannot hear yet.`;
}

function aboutText({ latest, earlier }: Conversation): string {
  if (latest.text === "") return latest.clips.length === 0 ? "You said nothing." : "";
  const verb = latest.text.endsWith("?") ? "asked" : "wrote";
  const lead = latest.clips.length === 0 ? `You ${verb}` : `With it you ${verb}`;
  const who =
    latest.clips.length === 0 && earlier.length === 0
      ? " I am Parley's stand-in: no model is behind me."
      : "";
  return `${lead} ${quote(latest.text)}.${who}`;
}

function aboutInstructions({ instructions, earlier }: Conversation): string {
  if (instructions === "" || earlier.length > 0) return "";
  return `My instructions are ${quote(instructions, 16)}.`;
}

function aboutEarlier({ earlier }: Conversation): string {
  const last = earlier.at(-1);
  if (last === undefined) return "";
  const answered = last.answer === "" ? "and I gave no answer" : `and I said ${quote(last.answer, 12)}`;
  return `Earlier you ${describeUser(last.user)}, ${answered}. This is turn ${earlier.length + 1} of our conversation.`;
}
