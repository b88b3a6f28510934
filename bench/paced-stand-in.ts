import { z } from "zod";
import { startStandIn } from "./programs.js";
import type { Program } from "./programs.js";

/** What the stand-in's process is told; it answers each with the time at which it last wrote an answer's first sound. */
export const questionShape = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("pace"), thinkMs: z.number(), restMs: z.number() }),
  z.object({ kind: z.literal("hold") }),
  z.object({ kind: z.literal("release") }),
  z.object({ kind: z.literal("look") }),
]);
export type Question = z.infer<typeof questionShape>;

/** The stand-in in a process of its own, as a model whose timing is known. */
export class PacedStandIn {
  readonly #program: Program;

  constructor(program: Program) {
    this.#program = program;
  }

  static async start(): Promise<PacedStandIn> {
    return new PacedStandIn(await startStandIn());
  }

  get url(): string {
    return this.#program.url;
  }

  /** How long it thinks before it answers, and how long it rests behind the first sound of an answer. */
  async pace(thinkMs: number, restMs: number): Promise<void> {
    await this.#tell({ kind: "pace", thinkMs, restMs });
  }

  /** Answers nothing until it is released. */
  async hold(): Promise<void> {
    await this.#tell({ kind: "hold" });
  }

  async release(): Promise<void> {
    await this.#tell({ kind: "release" });
  }

  /** When it wrote the first sound of its last answer, by `process.hrtime.bigint()`. */
  firstAudioAt(): Promise<bigint> {
    return this.#tell({ kind: "look" });
  }

  stop(): Promise<void> {
    return this.#program.stop();
  }

  async #tell(question: Question): Promise<bigint> {
    return BigInt(z.string().parse(await this.#program.ask(question)));
  }
}
