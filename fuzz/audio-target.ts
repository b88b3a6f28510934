import { tmpdir } from "node:os";
import { Child } from "./child.js";
import type { Target } from "./target.js";

/** What became of a file: accepted as what, or refused with which code; or what went wrong. */
export type AudioOutcome = { taken: string } | { fault: string };

/** No file of the size that is fed takes more. */
const patienceMs = 10_000;

/** The parsers of sound and the conversion of Opus, in a process of their own. */
export class AudioTarget implements Target {
  readonly child: Child;
  readonly concurrency = 1;
  /** How often each outcome came. */
  readonly outcomes = new Map<string, number>();

  private constructor(child: Child) {
    this.child = child;
  }

  static async start(): Promise<AudioTarget> {
    const child = new Child("./audio-child.ts", { cwd: tmpdir(), env: {} });
    await child.printed(/ready\n/);
    return new AudioTarget(child);
  }

  async feed(input: Uint8Array): Promise<string | null> {
    const outcome = (await this.child.ask(new Uint8Array(input), patienceMs)) as AudioOutcome | null;
    if (outcome === null) {
      if (this.child.hasEnded()) return null;
      // It would still be at work on this one when the next one comes.
      await this.child.kill();
      return `no outcome in ${patienceMs} ms`;
    }
    if ("fault" in outcome) return outcome.fault;
    this.outcomes.set(outcome.taken, (this.outcomes.get(outcome.taken) ?? 0) + 1);
    return null;
  }

  rest(): Promise<void> {
    return Promise.resolve();
  }

  close(): Promise<void> {
    return this.child.kill();
  }
}
