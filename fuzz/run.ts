import { AudioTarget } from "./audio-target.js";
import type { Memory } from "./child.js";
import { Inputs } from "./corpus.js";
import type { Failures } from "./failures.js";
import { feedHttp } from "./feed-http.js";
import { feedRange } from "./feed-range.js";
import { feedWebSocket } from "./feed-websocket.js";
import type { TargetName } from "./options.js";
import { ServerTarget } from "./server-target.js";
import type { Target } from "./target.js";
import { judgeUse } from "./use.js";
import type { Use } from "./use.js";

/** What is fed before memory is first looked at: by then caches and compiled code are there. */
const warmUpShare = 0.4;

export interface RunOptions {
  name: TargetName;
  seed: number;
  seconds: number;
  inputs: number | null;
  failures: Failures;
  signal: AbortSignal;
}

export function startTarget(name: TargetName): Promise<Target> {
  switch (name) {
    case "audio":
      return AudioTarget.start();
    case "http":
    case "multipart":
      return ServerTarget.start(feedHttp);
    case "range":
      return ServerTarget.start(feedRange);
    case "websocket":
      return ServerTarget.start(feedWebSocket);
  }
}

/** Feeds one target from its corpus and what is made of it, and looks for everything that must not be. */
export class Run {
  /** How many inputs were taken. */
  fed = 0;
  before: Use | null = null;
  after: Use | null = null;
  readonly #options: RunOptions;
  readonly #inputs: Inputs;
  /** When it could be fed: how long a start takes is not its time. */
  #startedAt: number | null = null;
  readonly #underWay = new Map<number, Uint8Array>();
  #target: Target | null = null;
  #next = 0;

  constructor(options: RunOptions) {
    this.#options = options;
    this.#inputs = new Inputs(options.name, options.seed);
  }

  get seconds(): number {
    return this.#startedAt === null ? 0 : (performance.now() - this.#startedAt) / 1000;
  }

  async run(): Promise<void> {
    try {
      await this.#living();
      this.#startedAt = performance.now();
      await this.#feedUntil(warmUpShare);
      this.before = await this.#use();
      const { child } = await this.#living();
      await this.#feedUntil(1);
      this.after = await this.#use();
      // A process that was started again in between has nothing to be compared with.
      if (child === this.#target?.child) this.#tellGrowth();
    } finally {
      await this.#target?.close();
    }
  }

  #tellGrowth(): void {
    if (this.before === null || this.after === null) return;
    const { name, failures } = this.#options;
    for (const growth of judgeUse(this.before, this.after)) failures.add(`${name}: ${growth}`);
  }

  killNow(): void {
    this.#target?.child.killNow();
  }

  /** The corpus is fed whole, whatever the time. */
  #isOver(share: number): boolean {
    const { seconds, inputs, signal } = this.#options;
    if (signal.aborted) return true;
    if (this.#next < this.#inputs.corpusSize) return false;
    const made = this.#next - this.#inputs.corpusSize;
    return this.seconds >= seconds * share || (inputs !== null && made >= inputs * share);
  }

  async #feedUntil(share: number): Promise<void> {
    while (!this.#isOver(share)) {
      const target = await this.#living();
      const feeders = Array.from({ length: target.concurrency }, () => this.#feedWhileLiving(target, share));
      await Promise.all(feeders);
      if (target.child.hasEnded()) await this.#tellCrash(target);
    }
  }

  async #living(): Promise<Target> {
    if (this.#target?.child.hasEnded() === true) {
      await this.#target.close();
      this.#target = null;
    }
    return (this.#target ??= await startTarget(this.#options.name));
  }

  async #feedWhileLiving(target: Target, share: number): Promise<void> {
    while (!target.child.hasEnded() && !this.#isOver(share)) {
      const index = this.#next;
      this.#next += 1;
      const input = this.#inputs.at(index);
      this.#underWay.set(index, input);
      const wrong = await target.feed(input);
      if (target.child.hasEnded() && wrong === null) return;
      if (wrong !== null) this.#fail(wrong, index, input);
      this.#tellFaults(target);
      this.#underWay.delete(index);
      this.fed += 1;
    }
  }

  /** Any of the inputs that were under way may have done it. */
  async #tellCrash(target: Target): Promise<void> {
    const end = await target.child.ended;
    const what = `the process ended with ${end}: ${target.child.takeFaults().slice(-20).join("\n")}`;
    for (const [index, input] of this.#underWay) this.#fail(what, index, input);
    this.#underWay.clear();
  }

  #tellFaults(target: Target): void {
    for (const line of target.child.takeFaults()) {
      if (this.#underWay.size === 0)
        this.#options.failures.add(`${this.#options.name}: its log holds ${line}`);
      for (const [index, input] of this.#underWay) this.#fail(`its log holds ${line}`, index, input);
    }
  }

  #fail(what: string, index: number, input: Uint8Array): void {
    const { name, seed, failures } = this.#options;
    failures.add(`${name}: ${what}`, { target: name, seed, index, input });
  }

  /** Null where it can't be told, which is a failure. */
  async #use(): Promise<Use | null> {
    const target = await this.#living();
    try {
      await target.rest();
      this.#tellFaults(target);
      const memory: Memory = await target.child.memory();
      return { ...memory, openFiles: target.child.openFiles(), fed: this.fed };
    } catch (error) {
      const { name, failures } = this.#options;
      failures.add(`${name}, at rest: ${String(error)} ${target.child.takeFaults().join("\n")}`);
      await target.child.kill();
      return null;
    }
  }
}
