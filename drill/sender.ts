import { setTimeout as delay } from "node:timers/promises";
import type { Findings } from "./findings.js";
import type { Fleet } from "./fleet.js";
import type { Ledger } from "./ledger.js";
import type { Random } from "./random.js";
import { Broken, Unanswered } from "./requests.js";
import type { GraphqlAnswer } from "./requests.js";
import type { ServerRun } from "./server-run.js";

export const promised = "requests are answered, and with nothing that the API does not promise";

/** An answer that should never come. It is among the findings; who asked gives up. */
export class WrongAnswer extends Error {
  override readonly name = "WrongAnswer";
}

export type Send<Data> = (server: ServerRun, signal?: AbortSignal) => Promise<GraphqlAnswer<Data>>;

export interface SendOptions {
  impatientAfterMs?: number | null;
  /** Codes of errors that are answers, too. */
  allowed?: string[];
}

/** Sends a request to any server that lives, again and again, until one has answered. */
export class Sender {
  readonly findings: Findings;
  readonly ledger: Ledger;
  readonly #fleet: Fleet;
  readonly #random: Random;

  constructor(parts: { fleet: Fleet; findings: Findings; ledger: Ledger; random: Random }) {
    this.findings = parts.findings;
    this.ledger = parts.ledger;
    this.#fleet = parts.fleet;
    this.#random = parts.random;
  }

  /** @throws WrongAnswer */
  async send<Data>(what: string, send: Send<Data>, options: SendOptions = {}): Promise<Data> {
    let patience = options.impatientAfterMs ?? null;
    for (;;) {
      const server = await this.#fleet.oneLiving(this.#random.next());
      const answer = await this.#try(what, send, server, patience);
      patience = null;
      if (answer !== null) return this.#dataOf(what, answer, options.allowed ?? []);
      this.ledger.resent += 1;
      await delay(this.#random.between(0, 40));
    }
  }

  /** Notes the violation; the error is for the caller to throw. */
  refuse(rule: string, what: string, ...turnIds: string[]): WrongAnswer {
    this.findings.violate(rule, what, ...turnIds);
    return new WrongAnswer(what);
  }

  /** Null where the connection broke. */
  async #try<Data>(what: string, send: Send<Data>, server: ServerRun, patience: number | null) {
    try {
      const answer = await send(
        server,
        patience === null ? undefined : AbortSignal.timeout(Math.ceil(patience)),
      );
      this.ledger.answered += 1;
      return answer;
    } catch (error) {
      if (!(error instanceof Broken)) throw error;
      if (error instanceof Unanswered && !server.dead)
        this.findings.violate(promised, `${what}: ${server.name} did not answer: ${error.message}`);
      return null;
    }
  }

  #dataOf<Data>(what: string, { data, errors }: GraphqlAnswer<Data>, allowed: string[]): Data {
    const isAllowed = errors.every(({ extensions }) => allowed.includes(extensions?.code ?? ""));
    if (errors.length > 0 && !isAllowed) throw this.refuse(promised, `${what}: ${JSON.stringify(errors)}`);
    // An allowed error leaves no data, and who allows it reads none.
    return data ?? ({} as Data);
  }
}
