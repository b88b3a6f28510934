import type { DatabaseTransaction } from "../../db/database.js";
import { isUsable, leastTokens } from "./plan-request.js";
import type { AssistantSound, HistoryTurn, UserSound } from "./types.js";

const pageSize = 100;

export interface LoadedHistory {
  /** Oldest first. */
  turns: HistoryTurn[];
  /** How many usable turns are older and can't fit in a request, so that they were not read. */
  olderTurns: number;
}

/**
 * Reads the finished turns before `position`, newest first, only as far back as a request can reach. `usableRemoved`
 * usable turns of the conversation are gone, which turns from before have counted.
 */
export async function loadHistory(
  client: DatabaseTransaction,
  conversationId: string,
  position: number,
  maxTokens: number,
  usableRemoved: number,
): Promise<LoadedHistory> {
  const turns: HistoryTurn[] = [];
  if (position === 1) return { turns, olderTurns: 0 };
  let tokens = 0;
  let before = position;
  let older: number | null = null;
  while (tokens <= maxTokens) {
    const rows = await readPage(client, conversationId, before);
    for (const row of rows) {
      const turn = toHistoryTurn(row);
      const usable = isUsable(turn);
      if (usable) tokens += leastTokens(turn);
      const before = row.usableBefore === null ? null : Math.max(0, row.usableBefore - usableRemoved);
      older = before ?? less(older, usable);
      turns.push(turn);
    }
    const oldest = rows.at(-1);
    if (oldest === undefined || rows.length < pageSize) return { turns: turns.reverse(), olderTurns: 0 };
    before = oldest.position;
  }
  // Only what a Parley that did not count yet has left is counted here, and only once: the new turn tells it to the next.
  older ??= await countUsable(client, conversationId, before);
  return { turns: turns.reverse(), olderTurns: older };
}

/** How many usable turns are older than a turn, by how many are older than the one behind it. */
function less(older: number | null, usable: boolean): number | null {
  return older === null || !usable ? older : older - 1;
}

function readPage(client: DatabaseTransaction, conversationId: string, before: number) {
  return client.turn.findMany({
    where: { conversationId, position: { lt: before }, status: { in: ["COMPLETED", "CANCELLED"] } },
    orderBy: { position: "desc" },
    take: pageSize,
    select: { position: true, status: true, usableBefore: true, messages: { include: { audio: true } } },
  });
}

type Row = Awaited<ReturnType<typeof readPage>>[number];
type MessageWithAudio = Row["messages"][number];

function toHistoryTurn(row: Row): HistoryTurn {
  const user = row.messages.find((message) => message.role === "USER");
  const assistant = row.messages.find((message) => message.role === "ASSISTANT");
  return {
    status: row.status === "COMPLETED" ? "COMPLETED" : "CANCELLED",
    user: {
      text: user?.text ?? null,
      transcript: user?.transcript ?? null,
      sound: user?.audio == null ? null : toUserSound(user.audio),
      soundRemoved: user?.audio?.removedAt != null,
    },
    assistant:
      assistant === undefined
        ? null
        : {
            text: assistant.text,
            transcript: assistant.transcript,
            sound: toAssistantSound(assistant.audio),
          },
  };
}

/** The user's clip as the model takes it. */
export function toUserSound(clip: Omit<UserSound, "format"> & { format: string }): UserSound {
  const { storageKey, byteLength, durationMs } = clip;
  return { storageKey, format: clip.format === "MP3" ? "mp3" : "wav", byteLength, durationMs };
}

function toAssistantSound(clip: MessageWithAudio["audio"]): AssistantSound | null {
  if (clip === null) return null;
  return {
    clipId: clip.id,
    providerAudioId: clip.providerAudioId,
    providerAudioExpiresAt: clip.providerAudioExpiresAt,
    dead: clip.providerAudioDeadAt !== null,
    endpoint: clip.providerEndpoint,
    deployment: clip.providerDeployment,
    byteLength: clip.byteLength,
    durationMs: clip.durationMs,
  };
}

/** Usable by the same rule as isUsable, told by the database. */
export function countUsable(
  client: DatabaseTransaction,
  conversationId: string,
  before: number,
): Promise<number> {
  const withWords = { role: "ASSISTANT", OR: [{ text: { not: null } }, { transcript: { not: null } }] };
  const withId = { OR: [{ providerAudioId: { not: null } }, { providerAudioExpiresAt: { not: null } }] };
  const withReference = { role: "ASSISTANT", audio: withId };
  return client.turn.count({
    where: {
      conversationId,
      position: { lt: before },
      OR: [
        { status: { in: ["COMPLETED", "CANCELLED"] }, messages: { some: withWords } },
        { status: "COMPLETED", messages: { some: withReference } },
      ],
    },
  });
}
