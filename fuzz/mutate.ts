import type { Random } from "../drill/random.js";

export interface MutationSources {
  random: Random;
  /** Words that mean something to what is fed. */
  dictionary: readonly Uint8Array[];
  /** Valid inputs, to take pieces of. */
  corpus: readonly Uint8Array[];
}

/** What no mutation makes longer: the work of an input stays small. */
export const maxInputBytes = 64 * 1024;
const mostMutations = 6;
const longestSpan = 256;

const interesting = [
  0, 1, 2, 3, 4, 7, 8, 15, 16, 31, 32, 63, 64, 100, 126, 127, 128, 129, 254, 255, 256, 1023, 1024, 4095, 4096,
  32_767, 32_768, 65_535, 65_536, 0x7f_ff_ff_ff, 0x80_00_00_00, 0xff_ff_ff_fe, 0xff_ff_ff_ff,
] as const;

const interestingDigits = [
  "0",
  "-1",
  "1",
  "00",
  "2147483647",
  "2147483648",
  "4294967296",
  "9007199254740991",
  "9007199254740993",
  "18446744073709551616",
  "1e999",
  "-0",
  "0x10",
  "NaN",
  "99999999999999999999999999",
] as const;

type Mutation = (bytes: Uint8Array, sources: MutationSources) => Uint8Array;

/** Changes the bytes at one to six places. The result may be the same. */
export function mutate(bytes: Uint8Array, sources: MutationSources): Uint8Array {
  let mutated = bytes;
  const count = sources.random.whole(1, mostMutations);
  for (let done = 0; done < count; done += 1) {
    mutated = pick(sources.random, mutations)(mutated, sources).subarray(0, maxInputBytes);
  }
  return mutated;
}

export function pick<Item>(random: Random, items: readonly Item[]): Item {
  const item = items[random.whole(0, items.length - 1)];
  if (item === undefined) throw new Error("there is nothing to pick from");
  return item;
}

interface Span {
  start: number;
  end: number;
}

function anySpan(bytes: Uint8Array, random: Random): Span {
  const start = random.whole(0, bytes.byteLength);
  return { start, end: Math.min(bytes.byteLength, start + random.whole(1, longestSpan)) };
}

function replaced(bytes: Uint8Array, { start, end }: Span, by: Uint8Array): Uint8Array {
  return Buffer.concat([bytes.subarray(0, start), by, bytes.subarray(end)]);
}

function inserted(bytes: Uint8Array, at: number, what: Uint8Array): Uint8Array {
  return replaced(bytes, { start: at, end: at }, what);
}

const flipBit: Mutation = (bytes, { random }) => {
  const changed = Buffer.from(bytes);
  const at = random.whole(0, changed.byteLength - 1);
  if (at >= 0) changed[at] = (changed[at] ?? 0) ^ (1 << random.whole(0, 7));
  return changed;
};

const setByte: Mutation = (bytes, { random }) => {
  const changed = Buffer.from(bytes);
  const at = random.whole(0, changed.byteLength - 1);
  if (at >= 0) changed[at] = random.chance(0.5) ? pick(random, interesting) & 0xff : random.whole(0, 255);
  return changed;
};

/** Two, four or eight bytes, in either order: the lengths and counts of binary formats. */
const setInteger: Mutation = (bytes, { random }) => {
  const integer = Buffer.alloc(8);
  const [width, value] = [pick(random, [2, 4, 8]), pick(random, interesting)];
  const isLittle = random.chance(0.5);
  if (width === 2) integer[isLittle ? "writeUInt16LE" : "writeUInt16BE"](value & 0xffff);
  if (width === 4) integer[isLittle ? "writeUInt32LE" : "writeUInt32BE"](value);
  if (width === 8) integer[isLittle ? "writeBigUInt64LE" : "writeBigUInt64BE"](BigInt(value));
  const start = random.whole(0, bytes.byteLength);
  const end = random.chance(0.8) ? start + width : start;
  return replaced(bytes, { start, end: Math.min(end, bytes.byteLength) }, integer.subarray(0, width));
};

const truncate: Mutation = (bytes, { random }) => bytes.subarray(0, random.whole(0, bytes.byteLength));

const remove: Mutation = (bytes, { random }) => replaced(bytes, anySpan(bytes, random), new Uint8Array(0));

const duplicate: Mutation = (bytes, { random }) => {
  const { start, end } = anySpan(bytes, random);
  return inserted(bytes, random.whole(0, bytes.byteLength), bytes.subarray(start, end));
};

/** Deep nesting and long lists come from pieces that stand there many times. */
const repeat: Mutation = (bytes, { random }) => {
  const { start, end } = anySpan(bytes, random);
  const piece = bytes.subarray(start, Math.min(end, start + random.whole(1, 40)));
  const times = Math.min(random.whole(2, 2_000), Math.floor(maxInputBytes / (piece.byteLength + 1)));
  return inserted(bytes, end, Buffer.concat(Array.from({ length: times }, () => piece)));
};

const insertWord: Mutation = (bytes, { random, dictionary }) =>
  inserted(bytes, random.whole(0, bytes.byteLength), pick(random, dictionary));

const replaceByWord: Mutation = (bytes, { random, dictionary }) => {
  const word = pick(random, dictionary);
  const at = Buffer.from(bytes).indexOf(word, random.whole(0, bytes.byteLength));
  const span = at < 0 ? anySpan(bytes, random) : { start: at, end: at + word.byteLength };
  return replaced(bytes, span, pick(random, dictionary));
};

/** A number that is written in digits becomes another one. */
const replaceDigits: Mutation = (bytes, sources) => {
  const { random } = sources;
  const numbers = [...Buffer.from(bytes).toString("latin1").matchAll(/\d+/g)];
  if (numbers.length === 0) return insertWord(bytes, sources);
  const { index, 0: digits } = pick(random, numbers);
  return replaced(
    bytes,
    { start: index, end: index + digits.length },
    Buffer.from(pick(random, interestingDigits)),
  );
};

/** The beginning of this and the end of another. */
const splice: Mutation = (bytes, { random, corpus }) => {
  const other = pick(random, corpus);
  const head = bytes.subarray(0, random.whole(0, bytes.byteLength));
  return Buffer.concat([head, other.subarray(random.whole(0, other.byteLength))]);
};

const insertPiece: Mutation = (bytes, { random, corpus }) => {
  const other = pick(random, corpus);
  const { start, end } = anySpan(other, random);
  return inserted(bytes, random.whole(0, bytes.byteLength), other.subarray(start, end));
};

const mutations: readonly Mutation[] = [
  flipBit,
  flipBit,
  setByte,
  setByte,
  setInteger,
  setInteger,
  truncate,
  remove,
  remove,
  duplicate,
  repeat,
  insertWord,
  insertWord,
  replaceByWord,
  replaceByWord,
  replaceDigits,
  replaceDigits,
  splice,
  insertPiece,
];
