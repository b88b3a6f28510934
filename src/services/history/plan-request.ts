import {
  answerDurationOrBound,
  assistantSoundTokens,
  durationOrBound,
  messageTokens,
  textTokens,
  userSoundTokens,
} from "./estimate.js";
import type { HistoryTurn, PlannedMessage, RequestFacts, RequestPlan, UserSound } from "./types.js";

/** An id this close to its expiry could expire on the way. */
const expiryMarginMs = 10_000;

/** Stands for an answer of which only an id is known, and that one can't be referred to. */
const noWords = "[spoken answer]";

/** Messages that stay or go together, with what they will cost. */
interface Part {
  messages: PlannedMessage[];
  textTokens: number;
  audioTokens: number;
}

/**
 * Decides what is sent to the model for one turn, by the rules of docs/architecture.md ("What the model is sent"):
 * the oldest sound becomes its transcript, then the oldest whole turns go; instructions and the new message never.
 */
export function planRequest(facts: RequestFacts): RequestPlan {
  const instructions = facts.instructions === null ? [] : [textPart("system", facts.instructions)];
  const message = userPart(facts.message.text, facts.message.sound);
  const usable = facts.turns.filter(isUsable);
  const tokensLeft = facts.bounds.maxTokens - tokens([...instructions, message]);
  const kept = newestWithin(tokensLeft, historyParts(usable, facts));
  const parts = [...instructions, ...kept, message];
  const messages = parts.flatMap((part) => part.messages);
  const dropSound =
    !facts.replyWithSound && !messages.some((sent) => sent.role === "user" && sent.sound !== null);
  return {
    messages,
    askForSound: facts.replyWithSound || dropSound,
    dropSound,
    usableTurns: facts.olderTurns + usable.length,
    omittedTurns: facts.olderTurns + usable.length - kept.length,
    estimate: {
      textTokens: parts.reduce((sum, part) => sum + part.textTokens, 0),
      audioTokens: parts.reduce((sum, part) => sum + part.audioTokens, 0),
    },
  };
}

/** Whether a turn can be part of a request: it needs an answer with words, or one that can be referred to. */
export function isUsable({ status, assistant }: HistoryTurn): boolean {
  if (assistant === null) return false;
  if (words(assistant) !== null) return true;
  const { providerAudioId = null, providerAudioExpiresAt = null } = assistant.sound ?? {};
  // Of sound whose time was over the id is gone, and until when it lived stays: what was usable remains so.
  return status === "COMPLETED" && (providerAudioId !== null || providerAudioExpiresAt !== null);
}

/** The least that a turn costs in any request, which bounds how far back turns have to be read. */
export function leastTokens({ user, assistant }: HistoryTurn): number {
  return (
    messageTokens(user.text ?? "") + leastOfQuestion(user) + messageTokens("") + leastOfAnswer(assistant)
  );
}

function leastOfQuestion({ sound, transcript }: HistoryTurn["user"]): number {
  if (sound === null) return 0;
  // One less: joined to the text, the words may share a token with it.
  const asWords = textTokens(spokenWords(transcript, sound)) - 1;
  return Math.min(asWords, userSoundTokens(durationOrBound(sound)));
}

function leastOfAnswer(answer: HistoryTurn["assistant"]): number {
  if (answer === null) return 0;
  const asWords = textTokens(words(answer) ?? noWords);
  return answer.sound === null
    ? asWords
    : Math.min(asWords, assistantSoundTokens(answerDurationOrBound(answer.sound)));
}

/** One part for each turn, in order. */
function historyParts(turns: readonly HistoryTurn[], facts: RequestFacts): Part[] {
  const firstWithSound = oldestSoundWithin(facts.bounds.maxAudioBytes, turns);
  return turns.map(({ status, user, assistant }, index) => {
    const isLost =
      user.sound !== null && (user.soundRemoved === true || facts.lostSound.has(user.sound.storageKey));
    const sound = index >= firstWithSound && !isLost ? user.sound : null;
    const spoken = sound === null && user.sound !== null ? spokenWords(user.transcript, user.sound) : null;
    const text = [user.text, spoken].filter((line) => line !== null).join("\n\n");
    return join(
      userPart(text === "" ? null : text, sound),
      assistantPart(status === "COMPLETED", assistant, facts),
    );
  });
}

/** The index from which on all user sound together stays within the bytes: the oldest goes first. */
function oldestSoundWithin(maxAudioBytes: number, turns: readonly HistoryTurn[]): number {
  let bytesLeft = maxAudioBytes;
  for (let index = turns.length - 1; index >= 0; index -= 1) {
    const user = turns[index]?.user;
    if (user?.soundRemoved !== true) bytesLeft -= user?.sound?.byteLength ?? 0;
    if (bytesLeft < 0) return index + 1;
  }
  return 0;
}

/** What stands for user sound that is not sent: its transcript, or how long it was. */
function spokenWords(transcript: string | null, sound: UserSound): string {
  if (transcript !== null) return transcript;
  const seconds = Math.round(durationOrBound(sound) / 1000);
  return `[spoken message, ${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}]`;
}

function userPart(text: string | null, sound: UserSound | null): Part {
  const audioTokens = sound === null ? 0 : userSoundTokens(durationOrBound(sound));
  return { messages: [{ role: "user", text, sound }], textTokens: messageTokens(text ?? ""), audioTokens };
}

function assistantPart(completed: boolean, answer: HistoryTurn["assistant"], facts: RequestFacts): Part {
  const reference = completed ? livingReference(answer, facts) : null;
  if (reference === null) return textPart("assistant", (answer && words(answer)) ?? noWords);
  return {
    messages: [{ role: "assistant", providerAudioId: reference.providerAudioId, clipId: reference.clipId }],
    textTokens: messageTokens(""),
    audioTokens: assistantSoundTokens(reference.durationMs),
  };
}

function textPart(role: "system" | "assistant", text: string): Part {
  const message: PlannedMessage = role === "system" ? { role, text } : { role, text };
  return { messages: [message], textTokens: messageTokens(text), audioTokens: 0 };
}

/** The answer's sound, where its id can still be referred to where the request goes. */
function livingReference(answer: HistoryTurn["assistant"], facts: RequestFacts) {
  const sound = answer?.sound;
  if (sound?.providerAudioId == null || sound.providerAudioExpiresAt === null) return null;
  if (facts.withoutAudioIds || sound.dead) return null;
  if (sound.endpoint !== facts.endpoint || sound.deployment !== facts.deployment) return null;
  if (sound.providerAudioExpiresAt.getTime() <= facts.now.getTime() + expiryMarginMs) return null;
  const { providerAudioId, clipId } = sound;
  return { providerAudioId, clipId, durationMs: answerDurationOrBound(sound) };
}

function words(answer: NonNullable<HistoryTurn["assistant"]>): string | null {
  const found = answer.text ?? answer.transcript;
  return found === null || found.trim() === "" ? null : found;
}

function newestWithin(maxTokens: number, parts: readonly Part[]): Part[] {
  let tokensLeft = maxTokens;
  for (let index = parts.length - 1; index >= 0; index -= 1) {
    tokensLeft -= tokens(parts.slice(index, index + 1));
    if (tokensLeft < 0) return parts.slice(index + 1);
  }
  return [...parts];
}

function join(user: Part, assistant: Part): Part {
  return {
    messages: [...user.messages, ...assistant.messages],
    textTokens: user.textTokens + assistant.textTokens,
    audioTokens: user.audioTokens + assistant.audioTokens,
  };
}

function tokens(parts: readonly Part[]): number {
  return parts.reduce((sum, part) => sum + part.textTokens + part.audioTokens, 0);
}
