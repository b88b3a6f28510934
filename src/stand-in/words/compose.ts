import type { ChatRequest } from "../checks/chat-request.js";
import { nothingHeard, type HeardClips } from "../hearing/hearing.js";
import { readConversation, type Conversation, type UserTurn } from "./conversation.js";
import { describeUser, quote, seconds } from "./phrases.js";
import { specialAnswer } from "./special-answers.js";

/**
 * What the stand-in says: an answer to the latest message that shows what it knows of the conversation. The same
 * request, heard in the same way, gets the same words. Never empty.
 */
export function composeWords(request: ChatRequest, heard: HeardClips = nothingHeard): string {
  const conversation = readConversation(request, heard);
  const isSpoken = conversation.latest.text === "" && conversation.latest.sound.kind === "words";
  return isSpoken ? answerToSpeech(conversation) : answerToText(conversation);
}

function answerToText(conversation: Conversation): string {
  const sound = aboutSound(conversation.latest);
  const special = specialAnswer(conversation);
  if (special !== null) return joined(sound, special);
  return joined(sound, aboutText(conversation), ...aboutTheRest(conversation));
}

/** What was said is the message, as if it had been written. */
function answerToSpeech(conversation: Conversation): string {
  const { latest } = conversation;
  if (latest.sound.kind !== "words") return answerToText(conversation);
  const { words, isSure } = latest.sound;
  const message: UserTurn = { text: words, clips: [], sound: { kind: "none" } };
  const spoken: Conversation = { ...conversation, latest: message };
  const special = specialAnswer(spoken);
  const answer = special ?? joined(isSure ? aboutText(spoken, "said") : "", ...aboutTheRest(spoken));
  if (isSure) return joined(aboutCut(latest), answer);
  return joined(
    `I am not sure I heard you right: I understood ${quote(words)}.`,
    aboutCut(latest),
    special === null ? "Please say it again, or write it." : "",
    answer,
  );
}

function aboutTheRest(conversation: Conversation): string[] {
  return [aboutInstructions(conversation), aboutEarlier(conversation)];
}

function joined(...sentences: string[]): string {
  return sentences.filter(Boolean).join(" ");
}

function aboutSound(turn: UserTurn): string {
  const { clips, sound } = turn;
  const what = clips.length === 1 ? "a spoken message" : `${clips.length} spoken messages`;
  const received = `I received ${what} of ${seconds(clips)}`;
  switch (sound.kind) {
    case "none":
      return "";
    case "unheard":
      return `${received}, but I am Parley's stand-in and cannot hear yet.`;
    case "unreadable":
      return `${received}, but I can listen only to WAV, uncompressed.`;
    case "nothing":
      return `I am not sure I heard you right: ${received}, and could make out no words in it.`;
    case "words": {
      const lead = sound.isSure ? "I heard" : "I am not sure I heard you right: I understood";
      return joined(`${lead} ${quote(sound.words)}.`, aboutCut(turn));
    }
  }
}

function aboutCut({ sound }: UserTurn): string {
  if (sound.kind !== "words" || sound.cutAfterSeconds === null) return "";
  return `I listened to the first ${sound.cutAfterSeconds} seconds only.`;
}

function aboutText({ latest, earlier }: Conversation, verbOfStatements = "wrote"): string {
  if (latest.text === "") return latest.clips.length === 0 ? "You said nothing." : "";
  const verb = latest.text.endsWith("?") ? "asked" : verbOfStatements;
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
