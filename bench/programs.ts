import { spawn } from "node:child_process";
import type { Serializable } from "node:child_process";
import { once } from "node:events";
import { resolve } from "node:path";
import { createInterface } from "node:readline";

export interface Program {
  url: string;
  /** For programs that answer messages: its next message. One question at a time. */
  ask(question: Serializable): Promise<unknown>;
  stop(): Promise<void>;
}

export interface Surroundings {
  env: Record<string, string>;
  cwd?: string | undefined;
}

/**
 * Starts a program and waits for the line in which it says where it listens. It gets these settings and no others: one
 * of the caller's, or of a .env file, could send the bench to a database in use.
 */
function start(script: string[], { env, cwd }: Surroundings, ready: RegExp): Promise<Program> {
  const child = spawn(process.execPath, script, { env, cwd, stdio: ["ignore", "pipe", "inherit", "ipc"] });
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const stop = async () => {
    child.kill("SIGTERM");
    await ended;
  };
  const ask = async (question: Serializable) => {
    const gone = ended.then(() => {
      throw new Error(`${script.join(" ")} ended instead of answering`);
    });
    const answer: Promise<unknown[]> = Promise.race([once(child, "message"), gone]);
    child.send(question);
    return (await answer)[0];
  };
  return new Promise((resolve, reject) => {
    child.once("exit", (code) => reject(new Error(`${script.join(" ")} ended with code ${String(code)}`)));
    if (child.stdout === null) return;
    createInterface(child.stdout).on("line", (line) => {
      const url = ready.exec(line)?.[0];
      if (url !== undefined) resolve({ url, ask, stop });
    });
  });
}

export function startStandIn(): Promise<Program> {
  return start(["--import", "tsx", "bench/clip-stand-in.ts"], { env: {} }, /http:\/\/\S+/);
}

export interface ParleyOptions {
  /** Where its data lies. */
  folder: string;
  /** Of the model. */
  endpoint: string;
  /** Besides those that every bench sets. */
  env?: Record<string, string>;
  /** For Node itself. */
  nodeOptions?: readonly string[];
}

/** Parley as it is built, answering at `url`, which is that of its GraphQL. */
export function startParley({
  folder,
  endpoint,
  env = {},
  nodeOptions = [],
}: ParleyOptions): Promise<Program> {
  const settings = {
    NODE_ENV: "production",
    AZURE_OPENAI_ENDPOINT: endpoint,
    AZURE_OPENAI_DEPLOYMENT_NAME: "bench",
    AZURE_OPENAI_API_KEY: "bench",
    DATA_DIR: folder,
    PORT: "0",
    LOG_LEVEL: "warn",
    ...env,
  };
  const script = [...nodeOptions, resolve("dist/main.js")];
  return start(script, { cwd: folder, env: settings }, /http:\/\/\S+\/graphql/);
}
