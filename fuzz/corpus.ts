import { readFileSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Random } from "../drill/random.js";
import { dictionaries } from "./dictionaries.js";
import { mutate, pick } from "./mutate.js";
import type { MutationSources } from "./mutate.js";
import type { TargetName } from "./options.js";
import { mutateFrames } from "./frames.js";
import { mutateRequest } from "./request-parts.js";

export const corpusFolder = fileURLToPath(new URL("./corpus/", import.meta.url));

/** The inputs of a target: what is kept in its corpus first, then what is made of it. */
export class Inputs {
  readonly #target: TargetName;
  readonly #seed: number;
  readonly #corpus: readonly Uint8Array[];
  readonly #dictionary: readonly Uint8Array[];

  constructor(target: TargetName, seed: number) {
    this.#target = target;
    this.#seed = seed;
    this.#corpus = readCorpus(target);
    this.#dictionary = dictionaries[target];
  }

  get corpusSize(): number {
    return this.#corpus.length;
  }

  /** The same for the same seed, whatever was fed before. */
  at(index: number): Uint8Array {
    const kept = this.#corpus[index];
    if (kept !== undefined) return kept;
    const random = new Random(this.#seed, `${this.#target} ${index}`);
    const sources = { random, dictionary: this.#dictionary, corpus: this.#corpus };
    return mutatorOf(this.#target)(pick(random, this.#corpus), sources);
  }
}

/** Half of the time the form that a target's inputs have is kept, and what stands in it is changed. */
function mutatorOf(target: TargetName): (bytes: Uint8Array, sources: MutationSources) => Uint8Array {
  if (target === "http" || target === "multipart") return mutateRequest;
  return target === "websocket" ? mutateFrames : mutate;
}

function readCorpus(target: TargetName): Uint8Array[] {
  const folder = `${corpusFolder}${target}/`;
  return readdirSync(folder)
    .sort()
    .map((name) => readFileSync(folder + name));
}
