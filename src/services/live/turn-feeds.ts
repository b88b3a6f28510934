import type { DatabaseClient } from "../../db/database.js";
import type { Logger } from "../../logger.js";
import type { Activity } from "./activity.js";
import type { ClipSound } from "./clip-sound.js";
import { readAnswer } from "./read-answer.js";
import { TurnFeed } from "./turn-feed.js";
import type { Grown } from "./turn-feed.js";
import type { WakeUps } from "./wake-ups.js";

export interface OpenFeed {
  feed: TurnFeed;
  /** To be called once, when nobody listens by it any more. */
  release: () => void;
}

export interface TurnFeedsParts {
  client: DatabaseClient;
  wakeUps: WakeUps;
  activity: Activity;
  sound: ClipSound;
  logger: Logger;
}

/** The turns that somebody listens to here. */
export class TurnFeeds {
  readonly #client: DatabaseClient;
  readonly #wakeUps: WakeUps;
  readonly #activity: Activity;
  readonly #sound: ClipSound;
  readonly #logger: Logger;
  readonly #feeds = new Map<string, { feed: TurnFeed; stop: () => void }>();

  constructor({ client, wakeUps, activity, sound, logger }: TurnFeedsParts) {
    this.#client = client;
    this.#wakeUps = wakeUps;
    this.#activity = activity;
    this.#sound = sound;
    this.#logger = logger;
  }

  /** The turn's feed, which knows everything that was written before the call. */
  async open(turnId: string): Promise<OpenFeed> {
    const { feed, stop } = this.#feeds.get(turnId) ?? this.#start(turnId);
    feed.listeners += 1;
    const release = () => {
      feed.listeners -= 1;
      if (feed.listeners > 0) return;
      stop();
      this.#feeds.delete(turnId);
    };
    try {
      await feed.refresh();
      return { feed, release };
    } catch (error) {
      release();
      throw error;
    }
  }

  /**
   * Tells those who listen, here and in other servers, what was just written to the log. `sound` is what the answer has
   * grown by, where it is at hand: it need not be read back from its file.
   */
  grew(grown: Grown, sound: Uint8Array | null): void {
    const feed = this.#feeds.get(grown.turnId)?.feed;
    if (feed !== undefined && grown.clip !== null && sound !== null)
      this.#sound.keep(grown.clip, grown.audioByteLength - sound.byteLength, sound);
    feed?.grew(grown);
    this.#wakeUps.tellOthers(`turn ${grown.turnId}`);
  }

  // It listens before it reads, so that nothing falls in between.
  #start(turnId: string): { feed: TurnFeed; stop: () => void } {
    const feed = new TurnFeed((known) => readAnswer(this.#client, turnId, known));
    const stop = this.#wakeUps.listen(`turn ${turnId}`, () => {
      this.#activity.during(feed.refresh()).catch((error: unknown) => {
        this.#logger.warn({ err: error, turnId }, "could not read what happened in a turn; looking again");
      });
    });
    const entry = { feed, stop };
    this.#feeds.set(turnId, entry);
    return entry;
  }
}
