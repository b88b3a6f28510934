import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { Agent } from "node:http";
import { fileURLToPath } from "node:url";

const program = fileURLToPath(new URL("../dist/main.js", import.meta.url));
const startTimeoutMs = 60_000;

/** One process of a Parley server, from its start to its end. */
export class ServerRun {
  readonly index: number;
  /** Tells this process from all others; it is the API key that it shows the model. */
  readonly name: string;
  /** Connections to this process only: none outlives it. */
  readonly agent = new Agent({ keepAlive: true, maxSockets: Infinity });
  /** Resolves to its exit code, or to the name of the signal that ended it. */
  readonly ended: Promise<number | string>;
  /** Resolves to where it listens; rejects where it ends before that. */
  readonly ready: Promise<string>;
  /** Empty until it is ready. */
  url = "";
  /** Set when the drill ends it, or it has ended. */
  dead = false;
  readonly #child: ChildProcess;

  constructor(
    { index, name }: { index: number; name: string },
    { folder, env, log }: { folder: string; env: Record<string, string>; log: number },
  ) {
    this.index = index;
    this.name = name;
    this.#child = spawn(process.execPath, [program], {
      cwd: folder,
      // Postgres is told the name, too.
      env: { ...env, AZURE_OPENAI_API_KEY: name, PGAPPNAME: name },
      stdio: ["ignore", "pipe", log],
    });
    this.ended = once(this.#child, "exit").then(() => {
      this.dead = true;
      this.agent.destroy();
      return this.#child.exitCode ?? this.#child.signalCode ?? "unknown";
    });
    this.ready = this.#untilReady();
    // Who kills it while it starts waits for its end, not for this.
    this.ready.catch(() => undefined);
  }

  /** As a power cut would end it. */
  async kill(): Promise<void> {
    this.killNow();
    await this.ended;
  }

  /** For the end of the drill's own process, which can't wait. */
  killNow(): void {
    this.dead = true;
    this.#child.kill("SIGKILL");
  }

  /** Ends it in good order; answers its exit code, or the name of a signal. */
  async stop(): Promise<number | string> {
    this.dead = true;
    this.#child.kill("SIGTERM");
    return this.ended;
  }

  #untilReady(): Promise<string> {
    return new Promise((resolve, reject) => {
      const giveUp = (why: string) => reject(new Error(`${this.name} ${why} before it was ready`));
      const timer = setTimeout(() => giveUp(`took ${startTimeoutMs / 1000} s`), startTimeoutMs);
      let printed = "";
      this.#child.stdout?.setEncoding("utf8").on("data", (text: string) => {
        printed += text;
        const url = /ready at (http:\S+)\/graphql\n/.exec(printed)?.[1];
        if (url === undefined) return;
        clearTimeout(timer);
        this.url = url;
        resolve(url);
      });
      void this.ended.then((code) => {
        clearTimeout(timer);
        giveUp(`ended with ${code}`);
      });
    });
  }
}
