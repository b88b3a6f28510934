import type { Viewer } from "../../auth/viewer.js";
import type { DatabaseClient } from "../../db/database.js";
import { ownedClient } from "../../db/owned-client.js";
import type { ConversationEventRow } from "../../db/rows.js";
import { ParleyError } from "../../errors.js";
import { isId } from "../../ids.js";
import type { Logger } from "../../logger.js";
import { conversationNotFound } from "../not-found.js";
import type { Activity, Listener } from "./activity.js";
import {
  conversationCursor,
  eventLifetimeMs,
  parseConversationCursor,
  parseViewerCursor,
  viewerCursor,
} from "./conversation-change.js";
import type { ConversationChange } from "./conversation-change.js";
import { toEventType } from "./conversation-log.js";
import { OwnerFeed } from "./owner-feed.js";
import { notACursor } from "./position.js";
import { stoppable } from "./stoppable.js";
import type { Told } from "./turn-events.js";
import type { WakeUps } from "./wake-ups.js";

export interface ConversationEventsParts {
  client: DatabaseClient;
  wakeUps: WakeUps;
  activity: Activity;
  logger: Logger;
}

/** What somebody listens to, and how far they have heard it. */
interface Place {
  /** Null: all conversations of the owner. */
  conversationId: string | null;
  /** Of the last event that was told; the log goes on behind it. */
  last: { sequence: bigint; conversationSequence: number };
  /** Up to this sequence nothing is left to tell; null: the log has to be read. */
  heardTo: bigint | null;
}

const pageSize = 100;

/** The events of conversations, from any place in their log: what was written, then what is being written. */
export class ConversationEvents {
  readonly #parts: ConversationEventsParts;
  readonly #feeds = new Map<string, { feed: OwnerFeed; stop: () => void }>();

  constructor(parts: ConversationEventsParts) {
    this.#parts = parts;
  }

  /** @throws ParleyError NOT_FOUND, BAD_USER_INPUT, CURSOR_EXPIRED, before the first event */
  async followConversation(viewer: Viewer, conversationId: string, after: string | null) {
    const { feed, release } = await this.#open(viewer);
    try {
      const place = await this.#placeInConversation(viewer, conversationId, after, feed);
      return this.#follow(viewer, feed, place, release);
    } catch (error) {
      release();
      throw error;
    }
  }

  /** @throws ParleyError BAD_USER_INPUT, CURSOR_EXPIRED, before the first event */
  async followViewer(viewer: Viewer, after: string | null) {
    const sequence = after === null ? null : parseViewerCursor(after);
    // Sequences are microseconds since 1970.
    const oldest = BigInt(Date.now() - eventLifetimeMs) * 1000n;
    const { feed, release } = await this.#open(viewer);
    if (sequence !== null && (sequence > feed.head || (sequence < oldest && sequence < feed.head))) {
      release();
      throw sequence > feed.head ? notACursor() : cursorExpired();
    }
    const last = { sequence: sequence ?? feed.head, conversationSequence: 0 };
    return this.#follow(viewer, feed, { conversationId: null, last, heardTo: last.sequence }, release);
  }

  async #placeInConversation(
    viewer: Viewer,
    conversationId: string,
    after: string | null,
    feed: OwnerFeed,
  ): Promise<Place> {
    const client = this.#clientOf(viewer);
    const where = { id: conversationId };
    const conversation = isId("conv", conversationId)
      ? await client.conversation.findUnique({ where })
      : null;
    if (after === null) {
      if (conversation === null) throw conversationNotFound();
      const last = { sequence: feed.head, conversationSequence: 0 };
      return { conversationId, last, heardTo: feed.head };
    }
    const heard = parseConversationCursor(conversationId, after);
    const place = { conversationId, last: { sequence: 0n, conversationSequence: heard }, heardTo: null };
    const [next] = await this.#readLog(viewer, place);
    // Of a deleted conversation nothing is left but its log.
    if (conversation === null && next === undefined) throw conversationNotFound();
    const newest = conversation?.eventSequence ?? next?.conversationSequence ?? 0;
    if (heard > newest) throw notACursor();
    if (heard < newest && next?.conversationSequence !== heard + 1) throw cursorExpired();
    return place;
  }

  async #open(viewer: Viewer): Promise<{ feed: OwnerFeed; release: () => void }> {
    const { feed, stop } = this.#feeds.get(viewer.id) ?? this.#start(viewer);
    feed.listeners += 1;
    const release = () => {
      feed.listeners -= 1;
      if (feed.listeners > 0) return;
      stop();
      this.#feeds.delete(viewer.id);
    };
    try {
      await feed.refresh();
      return { feed, release };
    } catch (error) {
      release();
      throw error;
    }
  }

  #start(viewer: Viewer): { feed: OwnerFeed; stop: () => void } {
    const { wakeUps, activity, logger } = this.#parts;
    const feed = new OwnerFeed(this.#clientOf(viewer), viewer.id);
    const stop = wakeUps.listen(`owner ${viewer.id}`, () => {
      activity.during(feed.refresh()).catch((error: unknown) => {
        logger.warn({ err: error }, "could not read what happened to conversations; looking again");
      });
    });
    const entry = { feed, stop };
    this.#feeds.set(viewer.id, entry);
    return entry;
  }

  #follow(viewer: Viewer, feed: OwnerFeed, place: Place, release: () => void): Told<ConversationChange> {
    const listener = this.#parts.activity.enter();
    return stoppable(
      (signal) => this.#tell(viewer, feed, place, listener, signal),
      () => {
        listener.leave();
        release();
      },
    );
  }

  async *#tell(
    viewer: Viewer,
    feed: OwnerFeed,
    place: Place,
    listener: Listener,
    signal: AbortSignal,
  ): AsyncGenerator<ConversationChange, void, undefined> {
    while (!signal.aborted) {
      const events = this.#atHand(feed, place) ?? (await this.#fromLog(viewer, feed, place));
      for (const event of events) {
        yield toChange(event, place);
        if (event.type === "DELETED" && place.conversationId !== null) return;
      }
      if (place.heardTo !== null && feed.head <= place.heardTo) await listener.rest(feed.changed(signal));
    }
  }

  #atHand(feed: OwnerFeed, place: Place): ConversationEventRow[] | null {
    const recent = place.heardTo === null ? null : feed.recentAfter(place.heardTo);
    if (recent === null) return null;
    // The log may have been read further than the feed has.
    place.heardTo = laterOf(place.heardTo ?? 0n, feed.head);
    const events = recent.filter((event) => isNews(event, place));
    place.last = events.at(-1) ?? place.last;
    const gone = new Set(
      recent.flatMap(({ type, conversationId }) => (type === "DELETED" ? conversationId : [])),
    );
    return events.filter(({ type, conversationId }) => type === "DELETED" || !gone.has(conversationId));
  }

  /** Of a conversation that is gone only its end is told. */
  async #fromLog(viewer: Viewer, feed: OwnerFeed, place: Place): Promise<ConversationEventRow[]> {
    const { head } = feed;
    const events = await this.#readLog(viewer, place);
    place.last = events.at(-1) ?? place.last;
    const upTo = laterOf(place.last.sequence, head);
    place.heardTo = events.length < pageSize ? upTo : place.last.sequence;
    const ids = [...new Set(events.map(({ conversationId }) => conversationId))];
    const there = await this.#clientOf(viewer).conversation.findMany({
      where: { id: { in: ids } },
      select: { id: true },
    });
    const known = new Set(there.map(({ id }) => id));
    return events.filter(({ type, conversationId }) => type === "DELETED" || known.has(conversationId));
  }

  #readLog(viewer: Viewer, { conversationId, last }: Place): Promise<ConversationEventRow[]> {
    const behind =
      conversationId === null
        ? { sequence: { gt: last.sequence } }
        : { conversationId, conversationSequence: { gt: last.conversationSequence } };
    return this.#clientOf(viewer).conversationEvent.findMany({
      where: behind,
      orderBy: { sequence: "asc" },
      take: pageSize,
    });
  }

  #clientOf(viewer: Viewer): DatabaseClient {
    return ownedClient(this.#parts.client, viewer);
  }
}

function isNews(event: ConversationEventRow, { conversationId, last }: Place): boolean {
  if (conversationId === null) return event.sequence > last.sequence;
  return event.conversationId === conversationId && event.conversationSequence > last.conversationSequence;
}

function laterOf(one: bigint, other: bigint): bigint {
  return one > other ? one : other;
}

function toChange(event: ConversationEventRow, place: Place): ConversationChange {
  const { conversationId, turnId } = event;
  const cursor =
    place.conversationId === null
      ? viewerCursor(event.sequence)
      : conversationCursor(conversationId, event.conversationSequence);
  return { type: toEventType(event.type), cursor, conversationId, turnId };
}

function cursorExpired(): ParleyError {
  return new ParleyError(
    "CURSOR_EXPIRED",
    "Events behind this cursor are gone. Read the data again and go on from where it is now.",
  );
}
