import type DataLoader from "dataloader";
import type { DatabaseClient } from "../../db/database.js";
import { parsePage, toPage } from "../../db/pagination.js";
import type { Keyset, Page, PageArguments, PageRequest } from "../../db/pagination.js";
import type { ConversationRow, TurnRow } from "../../db/rows.js";

/** Positions of one conversation, both ends included. They have no gaps: only the oldest turns go before their conversation. */
export interface TurnSpan {
  conversationId: string;
  from: number;
  to: number;
}

/** What lists of turns are read with, so that the lists of many conversations take as many statements as one. */
export interface TurnReads {
  /** In the order of their positions. */
  turnsOfSpan: DataLoader<TurnSpan, TurnRow[]>;
  /** By the conversation's id. */
  turnCount: DataLoader<string, TurnCount>;
}

export interface TurnCount {
  count: number;
  /** Of the newest turn; 0 where there is none. */
  lastPosition: number;
}

const maxPosition = 0x7fff_ffff;

/** A page of a conversation's turns, in the order in which they were added. */
export async function listTurns(
  reads: TurnReads,
  { id: conversationId, firstPosition }: Pick<ConversationRow, "id" | "firstPosition">,
  page: PageArguments,
): Promise<Page<TurnRow>> {
  const keyset: Keyset<TurnRow> = {
    name: `turns ${conversationId}`,
    type: "integer",
    descending: false,
    key: (row) => ({ value: row.position, id: row.id }),
  };
  const request = parsePage(page, keyset);
  const counted = () => reads.turnCount.load(conversationId);
  const span = await spanOf(request, firstPosition, async () => (await counted()).lastPosition);
  const rows = span.from > span.to ? [] : await reads.turnsOfSpan.load({ conversationId, ...span });
  const read = request.backwards ? rows.toReversed() : rows;
  return toPage(read, request, keyset, async () => (await counted()).count);
}

async function spanOf(
  { take, backwards, after, before }: PageRequest,
  firstPosition: number,
  lastPosition: () => Promise<number>,
): Promise<{ from: number; to: number }> {
  const first = Math.max(firstPosition, after === null ? 1 : Number(after.value) + 1);
  const beforeEnd = before === null ? null : Number(before.value) - 1;
  if (!backwards)
    return { from: first, to: Math.min(beforeEnd ?? maxPosition, first + take - 1, maxPosition) };
  const last = beforeEnd ?? (await lastPosition());
  return { from: Math.max(first, last - take + 1), to: last };
}

/** One statement, however many spans. */
export async function readTurnSpans(
  client: DatabaseClient,
  spans: readonly TurnSpan[],
): Promise<TurnRow[][]> {
  const rows = await client.turn.findMany({
    where: {
      OR: spans.map(({ conversationId, from, to }) => ({ conversationId, position: { gte: from, lte: to } })),
    },
    orderBy: { position: "asc" },
  });
  return spans.map(({ conversationId, from, to }) =>
    rows.filter((row) => row.conversationId === conversationId && row.position >= from && row.position <= to),
  );
}

/** One statement, however many conversations. */
export async function countTurns(client: DatabaseClient, ids: readonly string[]): Promise<TurnCount[]> {
  const groups = await client.turn.groupBy({
    by: ["conversationId"],
    where: { conversationId: { in: [...ids] } },
    _count: { _all: true },
    _max: { position: true },
  });
  const counts = new Map(
    groups.map(({ conversationId, _count, _max }) => [
      conversationId,
      { count: _count._all, lastPosition: _max.position ?? 0 },
    ]),
  );
  return ids.map((id) => counts.get(id) ?? { count: 0, lastPosition: 0 });
}
