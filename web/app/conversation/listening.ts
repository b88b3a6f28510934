import type { ApolloClient } from "@apollo/client";

import { Watched } from "../client/watched.js";
import { TurnListener } from "./turn-listener.js";

/**
 * Listens to one turn at a time. The listener of a turn that has ended stays until another one runs: other events may tell of
 * the end before its last words and its sound are here.
 */
export class Listening {
  readonly listener = new Watched<TurnListener | null>(null);
  readonly #client: ApolloClient;
  #stop: () => void = () => undefined;
  #heard = { turn: "", withSound: false };

  constructor(client: ApolloClient) {
    this.#client = client;
  }

  /**
   * Goes on with what it hears already, and tells its end again if that is over; hears anything else from its start. Sound
   * that nobody wants to hear any more, after a stop say, stays: it can be played again from where it was.
   */
  hear(turnId: string, attempt: number, withSound: boolean): void {
    const turn = `${turnId} ${attempt}`;
    if (turn === this.#heard.turn && (this.#heard.withSound || !withSound))
      return this.listener.get()?.tellEnd();
    this.stop();
    this.#heard = { turn, withSound };
    const listener = new TurnListener(this.#client, turnId, withSound);
    this.#stop = listener.start();
    this.listener.set(listener);
  }

  stop(): void {
    this.#stop();
    this.#heard = { turn: "", withSound: false };
  }
}
