import type { Viewer } from "../../auth/viewer.js";
import type { ParleyError } from "../../errors.js";
import { turnNotFound } from "../not-found.js";
import type { Activity, Listener } from "./activity.js";
import type { ClipSound } from "./clip-sound.js";
import { decodePosition, encodePosition, isOver, nextStep, notACursor, startOf } from "./position.js";
import type { Position, Step } from "./position.js";
import { stoppable } from "./stoppable.js";
import type { TurnFeed } from "./turn-feed.js";
import type { TurnFeeds } from "./turn-feeds.js";
import type { TurnHappening } from "./turn-happening.js";

/** What a subscription yields: an error takes the place of an event and is the last. */
export type Told<Event> = AsyncIterableIterator<Event | ParleyError, void, undefined>;

export interface TurnEventsParts {
  feeds: TurnFeeds;
  sound: ClipSound;
  activity: Activity;
  /** Rejects with NOT_FOUND where there is no such turn for the viewer. */
  find: (viewer: Viewer, turnId: string) => Promise<unknown>;
}

/** The events of turns, from any place in them: what was written to the log, then what is being written. */
export class TurnEvents {
  readonly #parts: TurnEventsParts;

  constructor(parts: TurnEventsParts) {
    this.#parts = parts;
  }

  /** @throws ParleyError NOT_FOUND, BAD_USER_INPUT, before the first event */
  async follow(viewer: Viewer, turnId: string, after: string | null): Promise<Told<TurnHappening>> {
    await this.#parts.find(viewer, turnId);
    const position = after === null ? startOf(1) : decodePosition(turnId, after);
    const { feed, release } = await this.#parts.feeds.open(turnId);
    if (position.attempt > (feed.answer?.attempt ?? position.attempt)) {
      release();
      throw notACursor();
    }
    const listener = this.#parts.activity.enter();
    return stoppable(
      (signal) => this.#tell({ turnId, feed, listener, signal }, position),
      () => {
        listener.leave();
        release();
      },
    );
  }

  async *#tell(
    { turnId, feed, listener, signal }: Following,
    from: Position,
  ): AsyncGenerator<TurnHappening | ParleyError, void, undefined> {
    let position = from;
    while (!signal.aborted) {
      if (feed.answer === null) {
        yield turnNotFound();
        return;
      }
      const step = nextStep(position, feed.answer);
      if (step === null) {
        if (isOver(position, feed.answer)) return;
        await listener.rest(feed.changed(signal));
        continue;
      }
      position = step.position;
      yield this.#happening(turnId, feed, step);
    }
  }

  #happening(turnId: string, feed: TurnFeed, step: Step): TurnHappening {
    const common = { turnId, cursor: encodePosition(turnId, step.position) };
    switch (step.type) {
      case "TurnStarted":
      case "TurnEnded":
        return { ...common, type: step.type };
      case "TextDelta":
      case "TranscriptDelta":
        return { ...common, type: step.type, delta: step.delta };
      case "AudioDelta": {
        const { byteOffset, byteLength } = step;
        const clip = feed.answer?.clip ?? null;
        const base64 = () => this.#parts.sound.base64(clip, byteOffset, byteLength);
        return { ...common, type: step.type, byteOffset, byteLength, base64 };
      }
    }
  }
}

interface Following {
  turnId: string;
  feed: TurnFeed;
  listener: Listener;
  signal: AbortSignal;
}
