import { wordsOf, type Conversation, type Exchange } from "./conversation.js";
import { describeUser, firstSentence, quote } from "./phrases.js";

type Rule = (conversation: Conversation) => string | null;

/** Questions that the stand-in can answer to the point, because the answer is in the conversation or here. */
const rules: Rule[] = [
  sayExactly,
  countTo,
  summarize,
  recallName,
  recallFirst,
  countTurns,
  recallLast,
  goldenRetriever,
  greet,
];

export function specialAnswer(conversation: Conversation): string | null {
  for (const rule of rules) {
    const answer = rule(conversation);
    if (answer !== null) return answer;
  }
  return null;
}

function sayExactly({ latest }: Conversation): string | null {
  return /^(?:please )?(?:say|repeat)\b[^'"“]{0,40}['"“](.{1,500}?)['"”]/is.exec(latest.text)?.[1] ?? null;
}

const maxCount = 500;

function countTo({ latest }: Conversation): string | null {
  const last = Number(/\bcount (?:from (?:1|one) )?to (\d{1,6})\b/i.exec(latest.text)?.[1] ?? 0);
  if (last < 1) return null;
  const numbers = Array.from({ length: Math.min(last, maxCount) }, (_, index) => index + 1);
  // A full stop after every tenth number lets the voice breathe, and the first sound come early.
  return numbers
    .map((number) => `${number}${number % 10 === 0 || number === numbers.length ? "." : ","}`)
    .join(" ");
}

const dogs = /golden retriever/i;

function summarize({ latest, earlier }: Conversation): string | null {
  if (!/\bsummari[sz]e|\bsummary\b/i.test(latest.text)) return null;
  const answered = earlier.findLast((exchange) => exchange.answer !== "");
  if (answered === undefined) return null;
  if (/favou?rab/i.test(latest.text) && earlier.some(isAboutDogs)) {
    return "Very favorable: friendly, patient and easy to train, if it gets its exercise.";
  }
  return `In short: ${firstSentence(answered.answer)}`;
}

function isAboutDogs({ user, answer }: Exchange): boolean {
  return dogs.test(wordsOf(user)) || dogs.test(answer);
}

function recallName({ latest, earlier }: Conversation): string | null {
  if (!/\bmy name\b.*\?|\bwho am i\b/i.test(latest.text)) return null;
  const introduced = earlier.findLast(({ user }) => givenName(wordsOf(user)) !== null);
  const name = introduced === undefined ? null : givenName(wordsOf(introduced.user));
  return name === null ? "You have not told me your name." : `Your name is ${name}. You told me earlier.`;
}

function givenName(text: string): string | null {
  return /\b(?:my name is|i am called) ([\p{L}'-]{1,40})/iu.exec(text)?.[1] ?? null;
}

function recallFirst({ latest, earlier }: Conversation): string | null {
  const first = earlier[0];
  if (first === undefined) return null;
  if (
    !/\bfirst\b.*\b(?:ask|asked|say|said|question|message|thing)\b|\b(?:ask|say)\b.*\bfirst\b/i.test(
      latest.text,
    )
  ) {
    return null;
  }
  return `First you ${describeUser(first.user)}, and I said ${quote(first.answer, 16)}.`;
}

function countTurns({ latest, earlier }: Conversation): string | null {
  if (!/\bhow many (?:turns|questions|messages|times)\b/i.test(latest.text)) return null;
  return `This is turn ${earlier.length + 1} of our conversation, so ${earlier.length} came before it.`;
}

function recallLast({ latest, earlier }: Conversation): string | null {
  const last = earlier.at(-1);
  if (last === undefined) return null;
  if (!/\bwhat did (?:i|you) (?:just )?(?:ask|say|tell)|\brepeat (?:that|yourself|it)\b/i.test(latest.text))
    return null;
  return `You ${describeUser(last.user)}, and I said ${quote(last.answer, 40)}.`;
}

function goldenRetriever({ latest }: Conversation): string | null {
  if (!dogs.test(latest.text)) return null;
  return "Yes. A golden retriever is a good family dog: friendly, patient with children, and easy to train. It needs exercise every day and a good brushing every week.";
}

function greet({ latest, earlier }: Conversation): string | null {
  if (earlier.length > 0 || !/^(?:hello|hi|hey|good (?:morning|evening))\b[^?]{0,30}$/i.test(latest.text))
    return null;
  return "Hello. I am Parley's stand-in: I speak the model's protocol, but no model is behind me. Ask me something, and then ask what you asked first.";
}
