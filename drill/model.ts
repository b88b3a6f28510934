import { setTimeout as delay } from "node:timers/promises";
import { pino } from "pino";
import type { PausePoint } from "../src/stand-in/pauses.js";
import type { RecordedRequest } from "../src/stand-in/recorder.js";
import { startStandIn } from "../src/stand-in/stand-in.js";
import type { StandIn } from "../src/stand-in/stand-in.js";
import type { Fleet } from "./fleet.js";
import type { Moments } from "./moments.js";
import { Random } from "./random.js";
import type { ServerRun } from "./server-run.js";

/** A request for a completion that has come to the model with its whole body. */
export interface AskedRequest {
  receivedAt: number;
  /** The process that sent it. */
  server: string;
  /** Null while it goes on. */
  end: string | null;
}

/** As many requests can come at the very same moment without one of them slipping past. */
const armed = 64;

/**
 * The model: a stand-in in the drill's own process, which no kill touches. Every request stops there for a moment, so
 * that none is missed and any of them can be held for a kill.
 */
export class Model {
  /** By the marker of the question. */
  readonly asked = new Map<string, AskedRequest[]>();
  readonly #standIn: StandIn;
  readonly #moments: Moments;
  readonly #random: Random;
  #fleet: Fleet | null = null;

  private constructor(standIn: StandIn, moments: Moments, seed: number) {
    this.#standIn = standIn;
    this.#moments = moments;
    this.#random = new Random(seed, "model");
  }

  static async start(moments: Moments, seed: number): Promise<Model> {
    const standIn = await startStandIn({ speech: "clip", logger: pino({ level: "silent" }) });
    const model = new Model(standIn, moments, seed);
    for (let index = 0; index < armed; index += 1) {
      model.#arm("before-answer");
      model.#arm("after-first-audio");
    }
    return model;
  }

  /** The settings that make it a server's model; the key is the server's own. */
  get settings(): Record<string, string> {
    return { AZURE_OPENAI_ENDPOINT: this.#standIn.url, AZURE_OPENAI_DEPLOYMENT_NAME: "drill" };
  }

  serve(fleet: Fleet): void {
    this.#fleet = fleet;
  }

  close(): Promise<void> {
    return this.#standIn.close();
  }

  get requests(): number {
    return [...this.asked.values()].reduce((sum, requests) => sum + requests.length, 0);
  }

  #arm(point: PausePoint): void {
    const pause = this.#standIn.pauseNext(point);
    const go = async () => {
      const request = await pause.reached;
      this.#arm(point);
      await (point === "before-answer" ? this.#whenAsked(request) : this.#whenAnswering(request));
      pause.release();
    };
    // It is closed while requests are still waited for.
    go().catch(() => undefined);
  }

  async #whenAsked(request: RecordedRequest): Promise<void> {
    const server = this.#senderOf(request);
    this.#record(request, server);
    if (server !== null && this.#moments.reach("asked", server)) await request.ended;
  }

  /** Answers of every length: most go on at once, others take a while in the middle. */
  async #whenAnswering(request: RecordedRequest): Promise<void> {
    const server = this.#senderOf(request);
    const holdMs = this.#random.chance(0.6) ? 0 : this.#random.between(0, 300);
    if (server === null) return;
    const letGo = new Promise<void>((resolve) => {
      if (!this.#moments.reach("answering", server, { letGo: resolve })) void delay(holdMs).then(resolve);
    });
    await Promise.race([letGo, request.ended]);
  }

  #senderOf({ credential }: RecordedRequest): ServerRun | null {
    return credential.kind === "none" ? null : (this.#fleet?.find(credential.value) ?? null);
  }

  #record(request: RecordedRequest, server: ServerRun | null): void {
    const asked: AskedRequest = {
      receivedAt: request.receivedAt.getTime(),
      server: server?.name ?? "unknown",
      end: null,
    };
    const marker = markerOf(request.body);
    this.asked.set(marker, [...(this.asked.get(marker) ?? []), asked]);
    void request.ended.then((end) => {
      asked.end = end;
      if (end === "answered" && server !== null) this.#moments.reach("answered", server);
    });
  }
}

interface AskedBody {
  messages?: { role: string; content: string | { type: string; text?: string }[] }[];
}

/** What a question is known by: a word of its text. */
export const markerPattern = /drill-\d+-\d+/;

/** The marker of the last question: earlier ones are its history. Empty where there is none. */
function markerOf(body: unknown): string {
  const { messages = [] } = (body ?? {}) as AskedBody;
  const content = messages.findLast(({ role }) => role === "user")?.content ?? "";
  const text = typeof content === "string" ? content : content.map((part) => part.text ?? "").join(" ");
  return markerPattern.exec(text)?.[0] ?? "";
}
