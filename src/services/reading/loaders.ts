import DataLoader from "dataloader";
import type { Prices } from "../../config/prices.js";
import type { DatabaseClient } from "../../db/database.js";
import { ownedClient } from "../../db/owned-client.js";
import type { Owner } from "../../db/owned-client.js";
import type { AudioClipRow, ConversationRow, DeletionRow, MessageRow, TurnRow } from "../../db/rows.js";
import { idPrefix } from "../../ids.js";
import { growingAnswers } from "./growing.js";
import { countTurns, readTurnSpans } from "../turns/turn-list.js";
import type { TurnReads, TurnSpan } from "../turns/turn-list.js";
import { noUsage, sumUsage } from "../usage/usage.js";
import type { UsageSums } from "../usage/usage.js";

/**
 * Reads the rows of one request, as their owner sees them, in batches, so that the number of SQL statements does not grow with what is listed.
 * What is loaded by an id from outside is bound to the viewer; a malformed id is read as one that is unknown.
 */
export interface Loaders extends TurnReads {
  conversation: DataLoader<string, ConversationRow | null>;
  turn: DataLoader<string, TurnRow | null>;
  message: DataLoader<string, MessageRow | null>;
  clip: DataLoader<string, AudioClipRow | null>;
  deletion: DataLoader<string, DeletionRow | null>;
  /** By the conversation's id. */
  activeTurn: DataLoader<string, TurnRow | null>;
  /** By the turn's id. */
  messagesOfTurn: DataLoader<string, MessageRow[]>;
  /** By the message's id; also of sound whose time was over (`removedAt`). */
  clipOfMessage: DataLoader<string, AudioClipRow | null>;
  /** By the turn's id; null where no call to the model has ended yet. */
  usageOfTurn: DataLoader<string, UsageSums | null>;
  usageOfConversation: DataLoader<string, UsageSums>;
}

// SQLite takes no more than 1,000 conditions that are joined by OR.
const maxSpans = 200;

export function createLoaders(base: DatabaseClient, prices: Prices, owner: Owner): Loaders {
  const client = ownedClient(base, owner);
  const grown = growingAnswers(client);
  return {
    conversation: byId("conv", (ids) => client.conversation.findMany({ where: { id: { in: ids } } })),
    turn: byId("turn", (ids) => client.turn.findMany({ where: { id: { in: ids } } })),
    message: byId("msg", (ids) => grown.messages(client.message.findMany({ where: { id: { in: ids } } }))),
    // The row of sound whose time was over stays, for what it tells.
    clip: byId("clip", (ids) =>
      grown.clips(client.audioClip.findMany({ where: { id: { in: ids }, removedAt: null } })),
    ),
    deletion: byId("del", (ids) => client.deletion.findMany({ where: { id: { in: ids } } })),
    activeTurn: one(
      (ids) => client.turn.findMany({ where: { activeConversationId: { in: ids } } }),
      (turn) => turn.conversationId,
    ),
    turnsOfSpan: new DataLoader((spans) => readTurnSpans(client, spans), {
      maxBatchSize: maxSpans,
      cacheKeyFn: ({ conversationId, from, to }: TurnSpan) => `${conversationId} ${from} ${to}`,
    }),
    turnCount: new DataLoader((ids) => countTurns(client, ids)),
    messagesOfTurn: many(
      (ids) => grown.messages(client.message.findMany({ where: { turnId: { in: ids } } })),
      (message) => message.turnId,
    ),
    clipOfMessage: one(
      (ids) => grown.clips(client.audioClip.findMany({ where: { messageId: { in: ids } } })),
      (clip) => clip.messageId,
    ),
    usageOfTurn: new DataLoader(async (ids) => {
      const sums = await sumUsage(client, "turnId", ids);
      return ids.map((id) => sums.get(id) ?? null);
    }),
    usageOfConversation: new DataLoader(async (ids) => {
      const sums = await sumUsage(client, "conversationId", ids);
      return ids.map((id) => sums.get(id) ?? noUsage(prices));
    }),
  };
}

type Read<Row> = (keys: string[]) => Promise<Row[]>;

function byId<Row extends { id: string }>(prefix: string, read: Read<Row>): DataLoader<string, Row | null> {
  return one(
    (ids) => read(ids.filter((id) => idPrefix(id) === prefix)),
    (row) => row.id,
  );
}

function one<Row>(read: Read<Row>, keyOf: (row: Row) => string): DataLoader<string, Row | null> {
  return new DataLoader(async (keys) => {
    const rows = new Map((await read([...keys])).map((row) => [keyOf(row), row]));
    return keys.map((key) => rows.get(key) ?? null);
  });
}

function many<Row>(read: Read<Row>, keyOf: (row: Row) => string): DataLoader<string, Row[]> {
  return new DataLoader(async (keys) => {
    const rows = groupBy(await read([...keys]), keyOf);
    return keys.map((key) => rows.get(key) ?? []);
  });
}

function groupBy<Row>(rows: readonly Row[], keyOf: (row: Row) => string): Map<string, Row[]> {
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const group = groups.get(keyOf(row));
    if (group === undefined) groups.set(keyOf(row), [row]);
    else group.push(row);
  }
  return groups;
}
