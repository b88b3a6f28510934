import { spawn } from "node:child_process";
import type { ChildProcessByStdio } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import type { Readable, Writable } from "node:stream";
import type { Env } from "../../src/config/env.js";

/** A shell that commands are pasted into one after the other, so that later ones see the variables of earlier ones. */
export class Shell {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #closed: Promise<void>;
  #output = "";
  #isClosed = false;

  /** `env` is added to the environment of the tests. */
  constructor(folder: string, env: Env = {}) {
    // Both streams in one: a program's complaint stands where it was made.
    this.#child = spawn("sh", ["-c", "exec sh -e 2>&1"], {
      cwd: folder,
      env: { ...process.env, ...env },
      stdio: ["pipe", "pipe", "inherit"],
    });
    this.#closed = once(this.#child, "close").then(() => void (this.#isClosed = true));
    // Of a shell that has ended; `run` says so.
    this.#child.stdin.on("error", () => undefined);
    this.#child.stdout.setEncoding("utf8").on("data", (text: string) => (this.#output += text));
  }

  /** What the commands print. Rejects where one of them fails: that ends the shell. */
  async run(commands: string): Promise<string> {
    const mark = randomUUID();
    this.#output = "";
    this.#child.stdin.write(`${commands}\nprintf '\\n%s %s\\n' ${mark} $?\n`);
    for (;;) {
      const [output = "", rest] = this.#output.split(`\n${mark} `);
      if (rest?.endsWith("\n") === true) {
        // A shell does not end where `a && b` fails in `a`.
        if (rest !== "0\n") throw new Error(`failed with ${rest.trim()}: ${output}`);
        return output;
      }
      if (this.#isClosed) throw new Error(`ended with ${this.#child.exitCode}: ${output}`);
      await Promise.race([once(this.#child.stdout, "data"), this.#closed]);
    }
  }

  async close(): Promise<void> {
    this.#child.stdin.end();
    await this.#closed;
  }
}
