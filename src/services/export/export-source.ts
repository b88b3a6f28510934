import type { Prices } from "../../config/prices.js";
import type { DatabaseClient } from "../../db/database.js";
import { ownedClient } from "../../db/owned-client.js";
import { scopeOf } from "../budgets/spending.js";
import type { Spender } from "../budgets/spending.js";
import type { Owner } from "../keeping/receipt.js";
import { noUsage, sumUsage } from "../usage/usage.js";

const pageSize = 100;
/** A turn may hold two texts of 100,000 characters. */
const turnPageSize = 20;

/** Reads everything of one owner a page at a time, so that memory stays small however much there is. */
export class ExportSource {
  readonly #client: DatabaseClient;
  readonly #prices: Prices;
  readonly #owner: Spender;

  constructor(client: DatabaseClient, prices: Prices, { id, tenantId }: Owner) {
    this.#client = ownedClient(client, { id, tenantId: null });
    this.#prices = prices;
    this.#owner = { ownerId: id, tenantId };
  }

  get #ownerId(): string {
    return this.#owner.ownerId;
  }

  async usage() {
    const sums = await sumUsage(this.#client, "ownerId", [this.#ownerId]);
    return sums.get(this.#ownerId) ?? noUsage(this.#prices);
  }

  /** What operators have written down of the keys that were made for the person; the keys themselves are kept nowhere. */
  keys() {
    return pageById((last) =>
      this.#client.apiKey.findMany({
        where: { viewerId: this.#ownerId, id: { gt: last } },
        orderBy: { id: "asc" },
        take: pageSize,
        omit: { secretHash: true, viewerId: true },
      }),
    );
  }

  /** All that are known, also those whose sound a turn has used, which is in its conversation. */
  uploads() {
    return pageById((last) =>
      this.#client.audioUpload.findMany({
        where: { id: { gt: last } },
        orderBy: { id: "asc" },
        take: pageSize,
        omit: { ownerId: true, tenantId: true },
      }),
    );
  }

  /** Each call to the model, also of turns that are gone; where the operator has it run is no matter of the person's. */
  calls() {
    return pageById((last) =>
      this.#client.modelCall.findMany({
        where: { ownerId: this.#ownerId, id: { gt: last } },
        orderBy: { id: "asc" },
        take: pageSize,
        omit: { ownerId: true, tenantId: true, endpoint: true, deployment: true, apiVersion: true },
      }),
    );
  }

  /** What was spent on each day that a budget still counts. */
  spending() {
    return this.#client.spendDay.findMany({
      where: { scope: scopeOf("viewer", this.#owner) },
      orderBy: { day: "asc" },
      select: { day: true, costMicroUsd: true },
    });
  }

  /** What clients were told of conversations, in that order. */
  async *events() {
    let last = 0n;
    for (;;) {
      const rows = await this.#client.conversationEvent.findMany({
        where: { sequence: { gt: last } },
        orderBy: { sequence: "asc" },
        take: pageSize,
        omit: { ownerId: true },
      });
      yield* rows;
      last = rows.at(-1)?.sequence ?? last;
      if (rows.length < pageSize) return;
    }
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
