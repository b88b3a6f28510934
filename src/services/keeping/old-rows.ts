import type { DatabaseClient } from "../../db/database.js";
import type { ConversationRow } from "../../db/rows.js";
import type { OldSound } from "./remove-sound.js";

/** Rows whose time is over. Everything is found by an index, a page at a time, and looked at again when it is taken. */

/** Whose clock it is: the server's, for all conversations, or that of those that are kept for `ownDays`. */
export interface Clock {
  cutoff: Date;
  ownDays: number | null;
}

const pageSize = 200;

export type FoundConversation = Pick<ConversationRow, "id" | "ownerId" | "tenantId">;
const found = { id: true, ownerId: true, tenantId: true } as const;

/** Conversations in which nothing has happened since the cutoff. */
export async function* idleConversations(
  client: DatabaseClient,
  { cutoff, ownDays }: Clock,
): AsyncGenerator<FoundConversation, void, undefined> {
  const own = ownDays === null ? {} : { textRetentionDays: ownDays };
  let last = { lastActivityAt: new Date(0), id: "" };
  for (;;) {
    const { lastActivityAt, id } = last;
    const rows = await client.conversation.findMany({
      where: {
        ...own,
        lastActivityAt: { lt: cutoff },
        activeTurn: { is: null },
        OR: [{ lastActivityAt: { gt: lastActivityAt } }, { lastActivityAt, id: { gt: id } }],
      },
      orderBy: [{ lastActivityAt: "asc" }, { id: "asc" }],
      take: pageSize,
      select: { ...found, lastActivityAt: true },
    });
    yield* rows;
    last = rows.at(-1) ?? last;
    if (rows.length < pageSize) return;
  }
}

/** Conversations whose oldest turn ended before the cutoff. */
export async function* conversationsWithOldTurns(
  client: DatabaseClient,
  clock: Clock,
): AsyncGenerator<FoundConversation, void, undefined> {
  if (clock.ownDays === null) return yield* ofOldTurns(client, clock.cutoff);
  for await (const rows of ownPages(client, { textRetentionDays: clock.ownDays })) {
    const oldest = rows.map(({ id, firstPosition }) => ({ conversationId: id, position: firstPosition }));
    const turns = await client.turn.findMany({
      where: { OR: oldest, endedAt: { lt: clock.cutoff } },
      select: { conversationId: true },
    });
    const old = new Set(turns.map(({ conversationId }) => conversationId));
    yield* rows.filter(({ id }) => old.has(id));
  }
}

async function* ofOldTurns(
  client: DatabaseClient,
  cutoff: Date,
): AsyncGenerator<FoundConversation, void, undefined> {
  const seen = new Set<string>();
  for await (const turns of turnPages(client, cutoff)) {
    for (const { conversation } of turns) {
      if (seen.has(conversation.id)) continue;
      seen.add(conversation.id);
      yield conversation;
    }
    // One that is spared comes again with each page, and is spared again.
    if (seen.size > pageSize) seen.clear();
  }
}

async function* turnPages(client: DatabaseClient, cutoff: Date) {
  let last = { endedAt: new Date(0), id: "" };
  for (;;) {
    const behind = [{ endedAt: { gt: last.endedAt } }, { endedAt: last.endedAt, id: { gt: last.id } }];
    const turns = await client.turn.findMany({
      where: { endedAt: { lt: cutoff }, OR: behind },
      orderBy: [{ endedAt: "asc" }, { id: "asc" }],
      take: pageSize,
      select: { id: true, endedAt: true, conversation: { select: found } },
    });
    yield turns;
    const newest = turns.at(-1);
    if (newest?.endedAt == null || turns.length < pageSize) return;
    last = { endedAt: newest.endedAt, id: newest.id };
  }
}

/** Sound of turns that ended before the cutoff. */
export async function* oldSound(
  client: DatabaseClient,
  { cutoff, ownDays }: Clock,
): AsyncGenerator<OldSound, void, undefined> {
  if (ownDays === null) return yield* oldSoundIn(client, cutoff, null);
  for await (const rows of ownPages(client, { audioRetentionDays: ownDays }))
    yield* oldSoundIn(
      client,
      cutoff,
      rows.map(({ id }) => id),
    );
}

/** A clip is never younger than the end of its turn. */
async function* oldSoundIn(
  client: DatabaseClient,
  cutoff: Date,
  conversationIds: string[] | null,
): AsyncGenerator<OldSound, void, undefined> {
  let last = { createdAt: new Date(0), id: "" };
  for (;;) {
    const behind = [
      { createdAt: { gt: last.createdAt } },
      { createdAt: last.createdAt, id: { gt: last.id } },
    ];
    const clips = await client.audioClip.findMany({
      where: {
        ...(conversationIds === null ? {} : { conversationId: { in: conversationIds } }),
        removedAt: null,
        createdAt: { lt: cutoff },
        message: { turn: { endedAt: { lt: cutoff } } },
        OR: behind,
      },
      orderBy: [{ createdAt: "asc" }, { id: "asc" }],
      take: pageSize,
      select: { id: true, ownerId: true, conversationId: true, createdAt: true },
    });
    yield* byConversation(clips);
    const newest = clips.at(-1);
    if (newest === undefined || clips.length < pageSize) return;
    last = newest;
  }
}

function byConversation(clips: { id: string; ownerId: string; conversationId: string }[]): OldSound[] {
  const groups = new Map<string, OldSound>();
  for (const { id, ownerId, conversationId } of clips) {
    const group = groups.get(conversationId) ?? { ownerId, conversationId, clipIds: [] };
    group.clipIds.push(id);
    groups.set(conversationId, group);
  }
  return [...groups.values()];
}

/** Conversations that are kept for so many days of their own. */
async function* ownPages(
  client: DatabaseClient,
  own: { textRetentionDays: number } | { audioRetentionDays: number },
) {
  let last = "";
  for (;;) {
    const rows = await client.conversation.findMany({
      where: { ...own, id: { gt: last } },
      orderBy: { id: "asc" },
      take: pageSize,
      select: { ...found, firstPosition: true },
    });
    if (rows.length > 0) yield rows;
    last = rows.at(-1)?.id ?? last;
    if (rows.length < pageSize) return;
  }
}
