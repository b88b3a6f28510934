import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { pino } from "pino";
import { startStandIn } from "../src/stand-in/stand-in.js";
import type { StandIn } from "../src/stand-in/stand-in.js";
import { Child } from "./child.js";
import { isHealthy, makeScene } from "./scene.js";
import type { Scene } from "./scene.js";
import type { Target } from "./target.js";

/** Any answer, and the end of any connection, comes in less. */
export const patienceMs = 20_000;
/** A scene that has seen so many inputs is made anew: by then they have taken it apart. */
const sceneInputs = 1_000;
/** How often the server is asked whether it is well. */
const healthInputs = 50;
/** Turns that were asked for end, and connections that were left are noticed. */
const restMs = 1_500;

/** Feeds one input to a server; resolves to what was wrong. */
export type Feeder = (input: Uint8Array, scene: Scene) => Promise<string | null>;

/** Parley's own main.ts in a process of its own, on a fresh database, with the stand-in as its model. */
export class ServerTarget implements Target {
  readonly child: Child;
  readonly concurrency = 8;
  readonly #folder: string;
  readonly #standIn: StandIn;
  readonly #origin: string;
  readonly #feeder: Feeder;
  #scene: Promise<Scene>;
  #fed = 0;

  private constructor(parts: {
    child: Child;
    folder: string;
    standIn: StandIn;
    origin: string;
    feeder: Feeder;
  }) {
    this.child = parts.child;
    this.#folder = parts.folder;
    this.#standIn = parts.standIn;
    this.#origin = parts.origin;
    this.#feeder = parts.feeder;
    this.#scene = makeScene(parts.origin);
  }

  static async start(feeder: Feeder): Promise<ServerTarget> {
    const folder = await mkdtemp(join(tmpdir(), "parley-fuzz-"));
    const standIn = await startStandIn({ speech: "clip", logger: pino({ level: "silent" }) });
    const child = new Child("../dist/main.js", { cwd: folder, env: settings(folder, standIn.url) });
    const [, origin = ""] = await child.printed(/ready at (http:\S+)\/graphql\n/);
    const target = new ServerTarget({ child, folder, standIn, origin, feeder });
    await target.#scene;
    return target;
  }

  async feed(input: Uint8Array): Promise<string | null> {
    this.#fed += 1;
    if (this.#fed % sceneInputs === 0) this.#scene = makeScene(this.#origin);
    const wrong = await this.#feeder(input, await this.#scene);
    if (wrong !== null || this.#fed % healthInputs !== 0) return wrong;
    return (await this.#isHealthy()) ? null : `/healthz did not answer in ${patienceMs} ms`;
  }

  #isHealthy(): Promise<boolean> {
    return isHealthy(new URL(this.#origin), patienceMs);
  }

  async rest(): Promise<void> {
    await delay(restMs);
    if (!(await this.#isHealthy())) throw new Error("/healthz does not answer");
  }

  async close(): Promise<void> {
    await this.child.kill();
    await this.#standIn.close();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

function settings(folder: string, endpoint: string): Record<string, string> {
  return {
    NODE_ENV: "production",
    LOG_LEVEL: "warn",
    // All that the surface has.
    INTROSPECTION: "1",
    EXPLORERS: "1",
    DATABASE_URL: `file:${join(folder, "parley.db")}`,
    DATA_DIR: join(folder, "data"),
    PORT: "0",
    AZURE_OPENAI_ENDPOINT: endpoint,
    AZURE_OPENAI_DEPLOYMENT_NAME: "fuzz",
    AZURE_OPENAI_API_KEY: "fuzz",
  };
}
