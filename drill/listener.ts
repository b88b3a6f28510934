import { request } from "node:http";
import type { IncomingMessage } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import type { Findings } from "./findings.js";
import type { Fleet } from "./fleet.js";
import type { Hearing } from "./hearing.js";
import type { KnownTurn } from "./ledger.js";
import { boundaryOf, readParts } from "./multipart-mixed.js";
import { turnEvents } from "./operations.js";
import type { HeardEvent } from "./operations.js";
import type { Random } from "./random.js";
import { readText } from "./requests.js";
import type { ServerRun } from "./server-run.js";

export const heard = "who listens hears every word and sound of the kept answer, once and in order";

interface EventPart {
  payload?: { data?: { turnEvents: HeardEvent } | null; errors?: ListeningError[] } | null;
  errors?: ListeningError[];
}
interface ListeningError {
  message: string;
  extensions?: { code?: string };
}

/** `broken`: the connection went before the end of the events came. */
type Ending = "complete" | "broken";

/** Follows turns by subscription, and takes up where it was when a connection breaks. */
export class Listener {
  readonly #parts: { fleet: Fleet; findings: Findings; random: Random; signal: AbortSignal };
  readonly #running = new Map<KnownTurn, Promise<void>>();

  constructor(parts: { fleet: Fleet; findings: Findings; random: Random; signal: AbortSignal }) {
    this.#parts = parts;
  }

  /** Until the turn's end is heard. A retried turn is followed again once its earlier end was heard. */
  follow(turn: KnownTurn, hearing: Hearing): void {
    const before = this.#running.get(turn) ?? Promise.resolve();
    const running = before.then(() => this.#follow(turn, hearing));
    this.#running.set(
      turn,
      running.catch(() => undefined),
    );
  }

  /** Waits for all ends that are still to be heard. */
  async settled(timeoutMs: number): Promise<void> {
    await Promise.race([Promise.all(this.#running.values()), delay(timeoutMs, undefined, { ref: false })]);
  }

  async #follow(turn: KnownTurn, hearing: Hearing): Promise<void> {
    for (;;) {
      const server = await this.#parts.fleet.oneLiving(this.#parts.random.next());
      hearing.connections += 1;
      const ending = await this.#listen(server, turn, hearing);
      if (ending === "complete") return;
      await delay(this.#parts.random.between(0, 30));
    }
  }

  async #listen(server: ServerRun, turn: KnownTurn, hearing: Hearing): Promise<Ending> {
    try {
      const response = await this.#subscribe(server, hearing);
      const boundary = boundaryOf(response.headers["content-type"] ?? "");
      if (boundary === null) return this.#refused(turn, hearing, await readText(response));
      return await this.#hearParts(response, boundary, turn, hearing);
    } catch {
      return "broken";
    }
  }

  #subscribe(server: ServerRun, { turnId, cursor }: Hearing): Promise<IncomingMessage> {
    const headers = {
      "content-type": "application/json",
      accept: "multipart/mixed;subscriptionSpec=1.0, application/json",
    };
    const { signal } = this.#parts;
    return new Promise((resolve, reject) => {
      // A connection of its own: it stays open as long as the turn goes on.
      const asking = request(`${server.url}/graphql`, { method: "POST", headers, agent: false, signal });
      asking.once("error", reject);
      asking.once("response", resolve);
      asking.end(JSON.stringify({ query: turnEvents, variables: { turnId, after: cursor } }));
    });
  }

  async #hearParts(
    response: IncomingMessage,
    boundary: string,
    turn: KnownTurn,
    hearing: Hearing,
  ): Promise<Ending> {
    for await (const part of readParts(response, boundary) as AsyncIterable<EventPart>) {
      const errors = [...(part.errors ?? []), ...(part.payload?.errors ?? [])];
      if (errors.length > 0) return this.#refused(turn, hearing, JSON.stringify(errors));
      const event = part.payload?.data?.turnEvents;
      if (event !== undefined) hearing.hear(event);
    }
    return "complete";
  }

  #refused(turn: KnownTurn, hearing: Hearing, errors: string): Ending {
    // It was deleted while it was followed, or is being deleted right now.
    if (errors.includes("NOT_FOUND")) hearing.ended = true;
    else if (errors.includes("SERVER_SHUTTING_DOWN")) return "broken";
    else
      this.#parts.findings.violate(heard, `${turn.marker}: the subscription was refused: ${errors}`, turn.id);
    return "complete";
  }
}
