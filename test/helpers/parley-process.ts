import { spawn } from "node:child_process";
import type { ChildProcessByStdio } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { afterEach } from "@jest/globals";
import { pino } from "pino";
import type { Env } from "../../src/config/env.js";
import { startStandIn } from "../../src/stand-in/stand-in.js";
import type { StandIn, StandInOptions } from "../../src/stand-in/stand-in.js";
import { sendOperation, uploadFile } from "./parley.js";
import type { GraphqlAnswer } from "./parley.js";

export interface ProcessEnd {
  /** Null where a signal ended it. */
  code: number | null;
  stdout: string;
  stderr: string;
}

/** A program of this repository in a process of its own, with no other environment than what it is given. */
export class ChildProgram {
  readonly ended: Promise<ProcessEnd>;
  readonly #child: ChildProcessByStdio<null, Readable, Readable>;
  #stdout = "";
  #stderr = "";

  /** `path` is relative to the repository's root; `folder` is the working directory. */
  constructor(path: string, folder: string, env: Env, args: readonly string[] = []) {
    const program = fileURLToPath(new URL(`../../${path}`, import.meta.url));
    const loader = path.endsWith(".ts") ? ["--import", import.meta.resolve("tsx")] : [];
    this.#child = spawn(process.execPath, [...loader, program, ...args], {
      cwd: folder,
      env: { PATH: process.env["PATH"], ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#child.stdout.setEncoding("utf8").on("data", (text: string) => (this.#stdout += text));
    this.#child.stderr.setEncoding("utf8").on("data", (text: string) => (this.#stderr += text));
    this.ended = once(this.#child, "close").then(() => ({
      code: this.#child.exitCode,
      stdout: this.#stdout,
      stderr: this.#stderr,
    }));
    running.add(this);
  }

  get stdout(): string {
    return this.#stdout;
  }

  get stderr(): string {
    return this.#stderr;
  }

  /** The match, as soon as it was printed. Rejects with everything that was printed where the program ends without it. */
  printed(stream: "stdout" | "stderr", pattern: RegExp): Promise<RegExpExecArray> {
    return new Promise((resolve, reject) => {
      const look = () => {
        const match = pattern.exec(this[stream]);
        if (match === null) return;
        this.#child[stream].off("data", look);
        resolve(match);
      };
      this.#child[stream].on("data", look);
      look();
      void this.ended.then(({ code, stdout, stderr }) =>
        reject(new Error(`ended with ${code} before it printed ${pattern}:\n${stdout}${stderr}`)),
      );
    });
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** As a power cut would end it. */
  async kill(): Promise<void> {
    this.signal("SIGKILL");
    await this.ended;
  }
}

/** Parley's own main.ts, ready to be asked. */
export class ParleyProcess {
  readonly program: ChildProgram;
  readonly url: string;

  private constructor(program: ChildProgram, url: string) {
    this.program = program;
    this.url = url;
  }

  /** PORT is 0 and the data lies in the folder, unless `env` says otherwise. Rejects where it ends before it is ready. */
  static async start(folder: string, env: Env): Promise<ParleyProcess> {
    const program = spawnParley(folder, { PORT: "0", ...env });
    const [, url = ""] = await program.printed("stdout", /ready at (http:\S+)\/graphql\n/);
    return new ParleyProcess(program, url);
  }

  send<Data>(query: string, variables: object = {}): Promise<GraphqlAnswer<Data>> {
    return sendOperation<Data>(this.url, query, variables);
  }

  upload<Data>(query: string, variables: object, path: string, file: Blob): Promise<GraphqlAnswer<Data>> {
    return uploadFile<Data>(this.url, { query, variables, path, file });
  }

  async ask<Data>(query: string, variables: object = {}): Promise<Data> {
    const { data, errors } = await this.send<Data>(query, variables);
    if (errors.length > 0) throw new Error(`the operation failed: ${JSON.stringify(errors)}`);
    return data;
  }

  /** Ends it in good order. */
  async stop(): Promise<ProcessEnd> {
    this.program.signal("SIGTERM");
    return this.program.ended;
  }
}

/** Starts main.ts and waits for nothing. */
export function spawnParley(folder: string, env: Env): ChildProgram {
  return new ChildProgram("dist/main.js", folder, { SHUTDOWN_GRACE_MS: "0", ...env });
}

/** A folder that is gone after the test. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "parley-test-"));
  folders.add(folder);
  return folder;
}

/** A stand-in in the test's own process, where it can be paused, for Parley in another one; gone after the test. */
export async function testStandIn(options: Partial<StandInOptions> = {}): Promise<StandIn> {
  const standIn = await startStandIn({ speech: "clip", logger: pino({ level: "silent" }), ...options });
  standIns.add(standIn);
  return standIn;
}

/** The settings that make the stand-in the Azure resource. */
export function azureSettings(standIn: StandIn): Env {
  return {
    AZURE_OPENAI_ENDPOINT: standIn.url,
    AZURE_OPENAI_DEPLOYMENT_NAME: "test-deployment",
    AZURE_OPENAI_API_KEY: "test-key",
  };
}

const running = new Set<ChildProgram>();
const standIns = new Set<StandIn>();
const folders = new Set<string>();

afterEach(async () => {
  await Promise.all([...running].map((program) => program.kill()));
  await Promise.all([...standIns].map((standIn) => standIn.close()));
  await Promise.all([...folders].map((folder) => rm(folder, { recursive: true, force: true })));
  for (const all of [running, standIns, folders]) all.clear();
});
