import type { Prices } from "../../config/prices.js";
import type { DatabaseClient } from "../../db/database.js";
import { ownedClient } from "../../db/owned-client.js";
import { noUsage, sumUsage } from "../usage/usage.js";

const pageSize = 100;
/** A turn may hold two texts of 100,000 characters. */
const turnPageSize = 20;
/** Far more than anybody has. */
const maxKeys = 1_000;

/** Reads everything of one owner a page at a time, so that memory stays small however much there is. */
export class ExportSource {
  readonly #client: DatabaseClient;
  readonly #prices: Prices;
  readonly #ownerId: string;

  constructor(client: DatabaseClient, prices: Prices, ownerId: string) {
    this.#client = ownedClient(client, { id: ownerId, tenantId: null });
    this.#prices = prices;
    this.#ownerId = ownerId;
  }

  async usage() {
    const sums = await sumUsage(this.#client, "ownerId", [this.#ownerId]);
    return sums.get(this.#ownerId) ?? noUsage(this.#prices);
  }

  /** What operators have written down of the keys that were made for the person; the keys themselves are kept nowhere. */
  keys() {
    return this.#client.apiKey.findMany({
      where: { viewerId: this.#ownerId },
      orderBy: { id: "asc" },
      take: maxKeys,
      omit: { secretHash: true, viewerId: true },
    });
  }

  /** What was received and not used yet: there can't be many. */
  async uploads() {
    const rows = await this.#client.audioUpload.findMany({
      where: { usedAt: null, storageKey: { not: null } },
      orderBy: { id: "asc" },
      take: pageSize,
      select: {
        id: true,
        byteLength: true,
        sha256: true,
        receivedAt: true,
        expiresAt: true,
        storageKey: true,
      },
    });
    return rows.map(({ storageKey, ...upload }) => ({ upload, storageKey }));
  }

  /** Receipts, oldest first. */
  deletions() {
    return pageById((last) =>
      this.#client.deletion.findMany({
        where: { id: { gt: last } },
        orderBy: { id: "asc" },
        take: pageSize,
      }),
    );
  }

  /** By which clients sent requests for the conversation without doing them twice. */
  idempotencyKeys(conversationId: string) {
    return pageById((last) =>
      this.#client.idempotencyKey.findMany({
        where: { conversationId, id: { gt: last } },
        orderBy: { id: "asc" },
        take: pageSize,
        select: { id: true, key: true, turnId: true, createdAt: true },
      }),
    );
  }

  conversations() {
    return pageById((last) =>
      this.#client.conversation.findMany({
        where: { id: { gt: last } },
        orderBy: { id: "asc" },
        take: pageSize,
      }),
    );
  }

  /** Each with its messages, their clips, and what it used. */
  async *turns(conversationId: string) {
    let last = 0;
    for (;;) {
      const rows = await this.#client.turn.findMany({
        where: { conversationId, position: { gt: last } },
        orderBy: { position: "asc" },
        take: turnPageSize,
        include: { messages: { include: { audio: true }, orderBy: { role: "desc" } } },
      });
      const sums = await sumUsage(
        this.#client,
        "turnId",
        rows.map(({ id }) => id),
      );
      for (const turn of rows) yield { turn, usage: sums.get(turn.id) ?? null };
      last = rows.at(-1)?.position ?? last;
      if (rows.length < turnPageSize) return;
    }
  }

  /** Of sound that is whole and was not removed. */
  clips(conversationId: string) {
    return pageById((last) =>
      this.#client.audioClip.findMany({
        where: { conversationId, removedAt: null, sha256: { not: null }, id: { gt: last } },
        orderBy: { id: "asc" },
        take: pageSize,
        select: { id: true, storageKey: true, byteLength: true },
      }),
    );
  }

  /** Whether the clip is still to be had: it may have been deleted meanwhile. */
  async hasClip(id: string): Promise<boolean> {
    return (await this.#client.audioClip.count({ where: { id, removedAt: null } })) > 0;
  }
}

/** All rows, a page of `pageSize` at a time: `read` answers those behind an id, oldest first. */
async function* pageById<Row extends { id: string }>(
  read: (last: string) => Promise<Row[]>,
): AsyncGenerator<Row, void, undefined> {
  let last = "";
  for (;;) {
    const rows = await read(last);
    yield* rows;
    last = rows.at(-1)?.id ?? last;
    if (rows.length < pageSize) return;
  }
}

export type ExportedTurn =
  ReturnType<ExportSource["turns"]> extends AsyncGenerator<infer Turn> ? Turn : never;
