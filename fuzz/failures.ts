import { mkdirSync, writeFileSync } from "node:fs";
import { basename, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import type { TargetName } from "./options.js";

const defaultFolder = fileURLToPath(new URL("./failures/", import.meta.url));
/** Of failures that look alike so many are written. */
const mostAlike = 3;

export interface Failure {
  what: string;
  count: number;
  /** Files to replay. */
  files: string[];
}

/** What went wrong, each kind once, with the inputs that did it as files. */
export class Failures {
  readonly #found = new Map<string, Failure>();
  readonly #folder: string;

  constructor(folder = defaultFolder) {
    this.#folder = folder;
  }

  get all(): readonly Failure[] {
    return [...this.#found.values()];
  }

  /** Without an input where none is to blame, as for memory. */
  add(what: string, from?: { target: TargetName; seed: number; index: number; input: Uint8Array }): void {
    const kind = kindOf(what);
    const failure = this.#found.get(kind) ?? { what, count: 0, files: [] };
    failure.count += 1;
    if (from !== undefined && failure.files.length < mostAlike) {
      const { target, seed, index, input } = from;
      mkdirSync(this.#folder, { recursive: true });
      const path = join(this.#folder, `${target}-${seed}-${index}.bin`);
      writeFileSync(path, input);
      writeFileSync(`${path}.txt`, `${what}\nInput ${index} of ${target} with --seed ${seed}.\n`);
      failure.files.push(path);
    }
    this.#found.set(kind, failure);
  }
}

export function describeFailure({ what, count, files }: Failure): string {
  const again = files.map((file) => `    npm run fuzz -- --replay ${relative(process.cwd(), file)}`);
  return [`  FAILED ${count} times: ${what.slice(0, 1_500)}`, ...again].join("\n");
}

/** Which target a file is for: by its name, as failures are written, or by its folder in the corpus. */
export function targetOfFile(path: string, folder: string): string {
  return /^([a-z]+)-\d+-\d+\.bin$/.exec(basename(path))?.[1] ?? basename(folder);
}

/** Failures that differ in ids, numbers and what they quote are alike. */
function kindOf(what: string): string {
  return what
    .slice(0, 400)
    .replaceAll(/\b(req|turn|conv|clip|upl|msg|call)_\w+/g, "ID")
    .replaceAll(/\d+/g, "N");
}
