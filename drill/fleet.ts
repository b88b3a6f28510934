import { closeSync, openSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Findings } from "./findings.js";
import { ServerRun } from "./server-run.js";

export interface FleetParts {
  folder: string;
  env: Record<string, string>;
  servers: number;
  findings: Findings;
  /** Aborts when the drill is broken off. */
  signal: AbortSignal;
}

export const serversLive = "no server ended by itself, and each started again";

/** The servers that share one database: started, killed and started again. */
export class Fleet {
  readonly #parts: FleetParts;
  readonly #logs: number[];
  readonly #runs: ServerRun[] = [];
  readonly #byName = new Map<string, ServerRun>();
  #started = 0;
  kills = 0;

  constructor(parts: FleetParts) {
    this.#parts = parts;
    this.#logs = Array.from({ length: parts.servers }, (_, index) =>
      openSync(join(parts.folder, `server-${index}.log`), "a"),
    );
  }

  get starts(): number {
    return this.#started;
  }

  /** One after the other, so that one of them brings the database up to date. */
  async startAll(): Promise<void> {
    for (let index = 0; index < this.#parts.servers; index += 1) await this.start(index).ready;
  }

  start(index: number): ServerRun {
    this.#started += 1;
    const { folder, env } = this.#parts;
    const name = `server-${index}-run-${this.#started}`;
    const run = new ServerRun({ index, name }, { folder, env, log: this.#logs[index] ?? 2 });
    this.#runs[index] = run;
    this.#byName.set(name, run);
    void run.ended.then((code) => this.#noteEnd(run, code));
    return run;
  }

  async kill(run: ServerRun): Promise<void> {
    this.kills += 1;
    this.#expected.add(run);
    await run.kill();
  }

  async stopAll(): Promise<void> {
    for (const run of this.#runs) {
      this.#expected.add(run);
      const code = await run.stop();
      if (code !== 0) this.#parts.findings.violate(serversLive, `${run.name} was stopped: code ${code}`);
    }
  }

  killAllNow(): void {
    for (const run of this.#runs) {
      this.#expected.add(run);
      run.killNow();
    }
  }

  close(): void {
    this.killAllNow();
    for (const log of this.#logs) closeSync(log);
  }

  find(name: string): ServerRun | null {
    return this.#byName.get(name) ?? null;
  }

  current(index: number): ServerRun | null {
    return this.#runs[index] ?? null;
  }

  /** Those that can be asked right now. */
  living(): ServerRun[] {
    return this.#runs.filter((run) => !run.dead && run.url !== "");
  }

  /** One that can be asked, as soon as there is one; `choice` is from 0 to before 1. */
  async oneLiving(choice: number): Promise<ServerRun> {
    for (;;) {
      this.#parts.signal.throwIfAborted();
      const living = this.living();
      const run = living[Math.floor(choice * living.length)];
      if (run !== undefined) return run;
      await delay(10);
    }
  }

  readonly #expected = new WeakSet<ServerRun>();

  #noteEnd(run: ServerRun, code: number | string): void {
    if (this.#expected.has(run)) return;
    this.#parts.findings.violate(serversLive, `${run.name} ended by itself: ${code}`);
    // What is being checked is what happens after that, too; but one that can't start never will.
    if (run.url !== "" && !this.#parts.signal.aborted) this.start(run.index);
  }
}
