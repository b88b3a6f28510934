import { Readable } from "node:stream";
import type { DatabaseClient } from "../../db/database.js";
import type { AudioClipRow } from "../../db/rows.js";
import { isActive } from "../turns/status.js";
import type { ClipSound } from "../live/clip-sound.js";
import { stoppable } from "../live/stoppable.js";
import type { OpenFeed, TurnFeeds } from "../live/turn-feeds.js";

const pieceByteLength = 64 * 1024;

/** Reads the files of clips while they grow. */
export class GrowingClips {
  readonly #client: DatabaseClient;
  readonly #feeds: TurnFeeds;
  readonly #sound: ClipSound;

  constructor(client: DatabaseClient, feeds: TurnFeeds, sound: ClipSound) {
    this.#client = client;
    this.#feeds = feeds;
    this.#sound = sound;
  }

  /**
   * The file from its first byte: what is there at once, the rest as it comes, until the answer has ended. The stream
   * fails where the sound goes instead of being kept, so that nobody takes the part for the whole. Null where the clip
   * grows no more. The caller has checked that it may be heard.
   */
  async open(clipId: string): Promise<Readable | null> {
    const where = { id: clipId };
    const clip = await this.#client.audioClip.findUnique({ where, include: { message: true } });
    if (clip === null || clip.sha256 !== null) return null;
    const open = await this.#feeds.open(clip.message.turnId);
    const pieces = stoppable((signal) => this.#read(clip, open, signal), open.release);
    return Readable.from(pieces, { objectMode: false, highWaterMark: pieceByteLength });
  }

  async *#read(
    clip: AudioClipRow,
    { feed }: OpenFeed,
    signal: AbortSignal,
  ): AsyncGenerator<Buffer, void, undefined> {
    let position = 0;
    while (!signal.aborted) {
      const { answer } = feed;
      if (answer?.clip?.id !== clip.id) throw new Error("the sound was not kept");
      const end = answer.clip.headerByteLength + answer.audioByteLength;
      if (position < end) {
        const piece = await this.#piece(clip, position, Math.min(end, position + pieceByteLength));
        position += piece.byteLength;
        yield piece;
      } else if (!isActive(answer.status)) return;
      else await feed.changed(signal);
    }
  }

  async #piece({ storageKey }: AudioClipRow, start: number, end: number): Promise<Buffer> {
    const piece = await this.#sound.read(storageKey, { start, end: end - 1 });
    if (piece === null || piece.byteLength === 0) throw new Error("the sound is gone");
    return piece;
  }
}
