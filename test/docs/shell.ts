import { spawn } from "node:child_process";
import type { ChildProcessByStdio } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import type { Readable, Writable } from "node:stream";

/** A shell that commands are pasted into one after the other, so that later ones see the variables of earlier ones. */
export class Shell {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  #output = "";

  constructor(folder: string) {
    // Both streams in one: a program's complaint stands where it was made.
    this.#child = spawn("sh", ["-c", "exec sh 2>&1"], { cwd: folder, stdio: ["pipe", "pipe", "inherit"] });
    this.#child.stdout.setEncoding("utf8").on("data", (text: string) => (this.#output += text));
  }

  /** What the commands print. Rejects where the last of them fails. */
  async run(commands: string): Promise<string> {
    const mark = randomUUID();
    this.#output = "";
    this.#child.stdin.write(`${commands}\nprintf '\\n%s %s\\n' ${mark} $?\n`);
    for (;;) {
      const [output, code, ...rest] = this.#output.split(new RegExp(`\\n${mark} (\\d+)\\n`));
      if (output !== undefined && code !== undefined && rest.length > 0) {
        if (code === "0") return output;
        throw new Error(`ended with ${code}: ${output}`);
      }
      await once(this.#child.stdout, "data");
    }
  }

  async close(): Promise<void> {
    const closed = once(this.#child, "close");
    this.#child.stdin.end();
    await closed;
  }
}
