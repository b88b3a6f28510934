import type { Heard } from "./heard.js";
import type { Segment } from "./sphinx-module.js";
import { asSentence } from "./sentence.js";

/** Silences and noises come as segments of their own. */
const isWord = ({ word }: Segment) => !/^[<[+]/.test(word);
/** Other pronunciations are numbered: `read(2)`. */
const spelled = ({ word }: Segment) => word.replace(/\(\d+\)$/, "");
const lengthOf = ({ start, end }: Segment) => end - start + 1;

/** What was said, and whether it can be relied upon. */
export function understand(segments: readonly Segment[], cutAfterSeconds: number | null): Heard {
  const words = segments.filter(isWord);
  if (words.length === 0) return { kind: "nothing" };
  const isSure = confidence(segments) > 0;
  return { kind: "words", text: asSentence(words.map(spelled)), isSure, cutAfterSeconds };
}

const framesPerSecond = 100;
const leastShareOfWords = 0.3;

/**
 * Above 0 where at least two thirds of the words are probably right. This build of the decoder tells no posterior, so
 * that the measure is made of what it tells: how well the sound fits (per frame, against the best that any sound of the
 * model would fit), how likely the words are one after the other (per word), how fast they come (noise is heard as few
 * long words), and how many there are (anything sounds like one short word). The weights are a logistic regression over
 * 280 results: voices of flite, clean, in white noise, reversed, and on top of each other. Of the right ones a tenth is
 * below 0, of the wrong ones a tenth is above.
 */
export function confidence(segments: readonly Segment[]): number {
  const words = segments.filter(isWord);
  const frames = sum(words.map(lengthOf));
  if (frames === 0 || frames < leastShareOfWords * sum(segments.map(lengthOf))) return -Infinity;
  const fit = sum(words.map(({ ascr }) => ascr)) / frames;
  const likelihood = sum(words.map(({ lscr }) => lscr)) / words.length;
  const wordsPerSecond = (words.length * framesPerSecond) / frames;
  return 9.76 + 0.000287 * fit + 0.0068 * likelihood + 2.81 * Math.log(wordsPerSecond) - 7.15 / words.length;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
