const questionWords =
  "who|whose|what|what's|which|when|where|where's|why|how|how's|is|are|am|was|were|do|does|did|can|could|will|would|should|shall|may|have|has";
const question = new RegExp(
  `^(?:(?:hello|hi|hey|okay|ok|so|and|but|please|now|well|then) ){0,2}(?:${questionWords})\\b`,
  "i",
);

/**
 * The decoder knows neither capitals nor punctuation nor digits. What the stand-in's answers depend on is put in: the
 * mark at the end, the name in "my name is", and the number in "count to".
 */
export function asSentence(words: readonly string[]): string {
  const text = countInDigits(words.join(" "))
    .replace(/\bi\b/g, "I")
    .replace(/\b(my name is|i am called) (\p{L})/giu, (_all, lead: string, letter: string) => {
      return `${lead} ${letter.toUpperCase()}`;
    });
  const mark = question.test(text) ? "?" : "";
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${mark}`;
}

const units =
  "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen";
const tens = "twenty thirty forty fifty sixty seventy eighty ninety";
const values = new Map([
  ...units.split(" ").map((word, index) => [word, index] as const),
  ...tens.split(" ").map((word, index) => [word, 20 + 10 * index] as const),
]);
const numberWord = `(?:(?:a )?hundred|${[...values.keys()].join("|")})\\b`;
// After a verb "to" sounds like "two" and "too".
const number = `(?:to|two|too) (${numberWord}(?: (?:and )?${numberWord})*)`;
const counting = new RegExp(`\\bcount (?:from one )?${number}`);
// The model has hardly ever read "count to ten": alone, it is taken for "down to ten", "come to ten", "kind to ten".
const countingAlone = new RegExp(`^(?:counts|counted|counter|down|come|kind|can) (?:from one )?${number}$`);

function countInDigits(text: string): string {
  const inDigits = (_all: string, words: string) => `count to ${numberOf(words)}`;
  return text.replace(countingAlone, inDigits).replace(counting, inDigits);
}

/** Below a thousand, as spoken: "one hundred and twenty five". */
function numberOf(words: string): number {
  return words
    .split(" ")
    .reduce((sum, word) => (word === "hundred" ? Math.max(1, sum) * 100 : sum + (values.get(word) ?? 0)), 0);
}
