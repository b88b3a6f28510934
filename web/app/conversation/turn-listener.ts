import type { ApolloClient } from "@apollo/client";

import { follow } from "../client/follow.js";
import type { Problem } from "../client/errors.js";
import { TurnEventsDocument, TurnFieldsFragmentDoc } from "../client/generated/operations.js";
import type { TurnEventsSubscription, TurnFieldsFragment } from "../client/generated/operations.js";
import { Watched } from "../client/watched.js";
import { fromBase64, GrowingSound } from "../audio/growing-sound.js";

export interface Listened {
  /** The words so far. */
  words: string;
  /** The sound so far; null where it is not asked for, or none has come. */
  sound: GrowingSound | null;
  ended: boolean;
  /** What ended the listening before the turn's end; null otherwise. */
  problem: Problem | null;
}

const nothing: Listened = { words: "", sound: null, ended: false, problem: null };

/** Hears a turn from its start to its end: its words, and where it is wanted its sound. */
export class TurnListener {
  readonly heard = new Watched<Listened>(nothing);
  readonly #client: ApolloClient;
  readonly turnId: string;
  readonly withSound: boolean;
  /** The turn as it was at its end; null before. */
  #turn: TurnFieldsFragment | null = null;

  constructor(client: ApolloClient, turnId: string, withSound: boolean) {
    this.#client = client;
    this.turnId = turnId;
    this.withSound = withSound;
  }

  /** Begins with the turn's start, so that the sound is there from its first sample. Answers the function that stops it. */
  start(): () => void {
    const { turnId, withSound } = this;
    return follow(this.#client, {
      subscription: TurnEventsDocument,
      variables: (after) => ({ turnId, after, withSound }),
      after: null,
      // Samples have no place in the cache; what a turn is at its end is written there by tellEnd.
      fetchPolicy: "no-cache",
      onEvent: ({ turnEvents }) => {
        this.#take(turnEvents);
        return turnEvents.cursor;
      },
      onEnd: (problem) => this.#change({ ended: true, problem }),
    });
  }

  /**
   * Writes into the cache what the turn was at its end, if that was heard. What a query or a mutation answers was read
   * before it was sent: it may come later than the end, and say that the turn still runs.
   */
  tellEnd(): void {
    if (this.#turn === null) return;
    const { cache } = this.#client;
    cache.writeFragment({
      fragment: TurnFieldsFragmentDoc,
      fragmentName: "TurnFields",
      id: cache.identify(this.#turn) ?? "",
      data: this.#turn,
    });
  }

  #take(event: TurnEventsSubscription["turnEvents"]): void {
    switch (event.__typename) {
      case "TurnStarted":
        // Also the start of a retry: what was heard of the attempt before counts no more.
        this.#turn = null;
        return this.heard.set(nothing);
      case "TranscriptDelta":
      case "TextDelta":
        return this.#change({ words: this.heard.get().words + event.delta });
      case "AudioDelta":
        return this.#hear(event.byteOffset, event.base64);
      case "TurnEnded":
        this.#turn = event.turn;
        this.tellEnd();
        this.heard.get().sound?.complete.set(true);
        return this.#change({ ended: true });
    }
  }

  #hear(byteOffset: number, base64: string | undefined): void {
    if (base64 === undefined) return;
    const sound = this.heard.get().sound ?? new GrowingSound();
    sound.append(byteOffset, fromBase64(base64));
    this.#change({ sound });
  }

  #change(change: Partial<Listened>): void {
    const heard = this.heard.get();
    this.heard.set({ ...heard, ...change });
  }
}
