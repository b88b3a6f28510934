import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

export interface Memory {
  /** What the process takes of the machine's memory. */
  rssBytes: number;
  /** What is reachable in JavaScript's heap and outside of it, once all garbage is gone. */
  heapBytes: number;
}

const inside = new URL("./inside.ts", import.meta.url).href;
const flags = ["--expose-gc", "--import", "tsx", "--import", inside];
const answerMs = 20_000;
/** pino's "error". */
const errorLevel = 50;

/** A program of this repository in a process of its own, where a crash and a leak are seen. */
export class Child {
  /** Resolves to its exit code, or to the name of the signal that ended it. */
  readonly ended: Promise<string>;
  /** Lines of its log at level error or fatal, and those that are no log: since they were last taken. */
  readonly #faults: string[] = [];
  readonly #process: ChildProcess;
  #hasEnded = false;

  constructor(program: string, { cwd, env }: { cwd: string; env: Record<string, string> }) {
    const path = fileURLToPath(new URL(program, import.meta.url));
    this.#process = spawn(process.execPath, [...flags, path], {
      // Where tsx is found.
      cwd: fileURLToPath(new URL("..", import.meta.url)),
      env: { ...env, DATA_DIR: cwd },
      stdio: ["ignore", "pipe", "pipe", "ipc"],
      serialization: "advanced",
    });
    this.ended = once(this.#process, "exit").then(() => {
      this.#hasEnded = true;
      return String(this.#process.exitCode ?? this.#process.signalCode);
    });
    if (this.#process.stderr === null) throw new Error("there is no stderr");
    createInterface({ input: this.#process.stderr }).on("line", (line) => {
      if (isFault(line)) this.#faults.push(line);
    });
  }

  hasEnded(): boolean {
    return this.#hasEnded;
  }

  takeFaults(): string[] {
    return this.#faults.splice(0);
  }

  /** Resolves to what the pattern found in what it printed; rejects where it ends before that. */
  printed(pattern: RegExp): Promise<RegExpExecArray> {
    return new Promise((resolve, reject) => {
      let text = "";
      this.#process.stdout?.setEncoding("utf8").on("data", (piece: string) => {
        text += piece;
        const found = pattern.exec(text);
        if (found !== null) resolve(found);
      });
      void this.ended.then((code) => reject(new Error(`ended with ${code}: ${this.#faults.join("\n")}`)));
    });
  }

  /** Sends a message; resolves to the next one that comes, to null where it ends or none comes for so long. */
  ask(message: unknown, patienceMs = answerMs): Promise<object | null> {
    return new Promise((resolve) => {
      const finish = (answer: unknown) => {
        clearTimeout(timer);
        this.#process.off("message", finish).off("exit", onExit);
        resolve(typeof answer === "object" ? answer : null);
      };
      const timer = setTimeout(() => finish(null), patienceMs);
      const onExit = () => finish(null);
      this.#process.on("message", finish).on("exit", onExit);
      if (this.#process.connected) this.#process.send(message as object);
    });
  }

  /** @throws Error where it does not answer */
  async memory(): Promise<Memory> {
    const answer = (await this.ask("memory")) as { memory?: Memory } | null;
    if (answer?.memory === undefined) throw new Error("the process does not tell its memory");
    return answer.memory;
  }

  /** Files, sockets and pipes that it holds open; null where the system does not tell. */
  openFiles(): number | null {
    try {
      return readdirSync(`/proc/${this.#process.pid ?? 0}/fd`).length;
    } catch {
      return null;
    }
  }

  killNow(): void {
    this.#process.kill("SIGKILL");
  }

  async kill(): Promise<void> {
    this.killNow();
    await this.ended;
  }
}

function isFault(line: string): boolean {
  const level = /^\{"level":(\d+),/.exec(line)?.[1];
  return level === undefined || Number(level) >= errorLevel;
}
