import type { DatabaseClient, DatabaseTransaction } from "../../db/database.js";
import type { TurnRow } from "../../db/rows.js";
import type { StoredAudio } from "../../storage/audio-store.js";
import type { AudioFormat } from "../audio/clip-format.js";
import { countEvent, recordEvent } from "../live/conversation-log.js";
import type { CountedConversation } from "../live/conversation-log.js";
import type { CallColumns } from "./call-record.js";
import { LeaseLostError } from "./lease.js";
import type { Fence } from "./lease.js";
import { writeCalls } from "./paid-calls.js";
import type { PaidCallsParts } from "./paid-calls.js";

/** How an attempt ended, as it is written to the turn. */
export type TurnEnd =
  | { status: "COMPLETED"; finishReason: "STOP" | "LENGTH" }
  | { status: "CANCELLED" }
  | { status: "FAILED"; error: TurnFailure };

export interface TurnFailure {
  code: string;
  message: string;
  retryable: boolean;
  retryAfter: Date | null;
}

/** The answer as it is kept; null where nothing was received, or nothing of it may be kept. */
export interface KeptAnswer {
  messageId: string;
  text: string | null;
  transcript: string | null;
  sound: KeptSound | null;
}

export interface KeptSound extends StoredAudio {
  clipId: string;
  storageKey: string;
  format: AudioFormat;
  durationMs: number | null;
  providerAudioId: string | null;
  providerAudioExpiresAt: Date | null;
  providerEndpoint: string;
  providerDeployment: string;
}

export interface Outcome {
  end: TurnEnd;
  answer: KeptAnswer | null;
  /** Whether the answer has rows from the time when it grew. */
  grown: boolean;
  calls: CallColumns[];
  model: string | null;
}

/**
 * Writes the end of an attempt in one transaction: status, answer, clip and calls. Resolves to the turn as it is then.
 * @throws LeaseLostError where the turn is no longer this runner's; nothing is written then
 */
export function finishTurn(
  { client, budgets }: PaidCallsParts,
  turn: TurnRow,
  fence: Fence,
  outcome: Outcome,
): Promise<TurnRow> {
  return client.$transaction(async (transaction) => {
    const endedAt = new Date();
    const conversation = await takeConversation(transaction, turn, endedAt);
    const [ended] = await transaction.turn.updateManyAndReturn({
      where: { ...fence, activeConversationId: { not: null } },
      data: { ...endColumns(outcome.end), model: outcome.model, endedAt },
    });
    if (ended === undefined) throw new LeaseLostError(`the turn ${turn.id} is no longer run here`);
    await writeAnswer(transaction, turn, outcome, endedAt);
    await writeCalls(transaction, turn, outcome.calls, budgets);
    await recordEvent(transaction, conversation, "TURN", turn.id);
    return ended;
  });
}

/**
 * The first write of every transaction that begins or ends a turn or counts its calls, as of those that add turns or delete the
 * conversation: taken in one order, they wait for each other and never for each other's rows.
 * @throws LeaseLostError where the conversation was deleted
 */
export async function takeConversation(
  transaction: DatabaseTransaction,
  { conversationId }: TurnRow,
  endedAt: Date | null,
): Promise<CountedConversation> {
  const [conversation] = await transaction.conversation.updateManyAndReturn({
    where: { id: conversationId },
    data: { ...countEvent, ...(endedAt === null ? {} : { lastActivityAt: endedAt, updatedAt: endedAt }) },
    select: { id: true, ownerId: true, eventSequence: true },
  });
  if (conversation === undefined) throw new LeaseLostError(`the conversation ${conversationId} was deleted`);
  return conversation;
}

/** Whether the end of an attempt is what the database holds, though its answer to the write was lost. */
export async function findWritten(
  client: DatabaseClient,
  turn: TurnRow,
  { end, answer }: Outcome,
): Promise<TurnRow | null> {
  const { id, attempt } = turn;
  const errorCode = end.status === "FAILED" ? end.error.code : null;
  const written = await client.turn.findFirst({ where: { id, attempt, status: end.status, errorCode } });
  if (written === null || answer?.sound == null) return written;
  const { storageKey, sha256 } = answer.sound;
  return (await client.audioClip.count({ where: { storageKey, sha256 } })) > 0 ? written : null;
}

/** What every end writes: the turn is nobody's any more, and its conversation can take the next one. */
export function endColumns(end: TurnEnd) {
  const error = end.status === "FAILED" ? end.error : null;
  return {
    status: end.status,
    activeConversationId: null,
    leaseOwner: null,
    leaseExpiresAt: null,
    runningCall: null,
    finishReason: end.status === "COMPLETED" ? end.finishReason : null,
    errorCode: error?.code ?? null,
    errorMessage: error?.message ?? null,
    errorRetryable: error?.retryable ?? null,
    errorRetryAfter: error?.retryAfter ?? null,
  };
}

/** The rows of an answer that has grown hold all of it from now on; its log goes. */
async function writeAnswer(
  transaction: DatabaseTransaction,
  turn: TurnRow,
  { answer, grown }: Outcome,
  createdAt: Date,
): Promise<void> {
  if (answer === null) {
    if (grown) await transaction.message.deleteMany({ where: { turnId: turn.id, role: "ASSISTANT" } });
    return;
  }
  const { messageId, text, transcript, sound } = answer;
  const { id: turnId, ownerId, conversationId } = turn;
  const owner = { ownerId, conversationId, createdAt };
  const words = { text, transcript, growing: false };
  const message = { id: messageId, ...owner, turnId, role: "ASSISTANT", ...words };
  if (!grown) await transaction.message.create({ data: message });
  else {
    await transaction.message.upsert({ where: { id: messageId }, create: message, update: words });
    await transaction.answerLogEntry.deleteMany({ where: { messageId } });
  }
  if (sound === null) {
    if (grown) await transaction.audioClip.deleteMany({ where: { messageId } });
    return;
  }
  const { clipId, ...clip } = sound;
  const row = { id: clipId, ...owner, messageId, ...clip };
  if (!grown) await transaction.audioClip.create({ data: row });
  else await transaction.audioClip.upsert({ where: { id: clipId }, create: row, update: clip });
}
