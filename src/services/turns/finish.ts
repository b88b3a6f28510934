import type { DatabaseClient, DatabaseTransaction } from "../../db/database.js";
import type { TurnRow } from "../../db/rows.js";
import { newId } from "../../ids.js";
import type { StoredAudio } from "../../storage/audio-store.js";
import type { AudioFormat } from "../audio/clip-format.js";
import type { CallColumns } from "./call-record.js";
import { LeaseLostError } from "./lease.js";
import type { Fence } from "./lease.js";

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
  calls: CallColumns[];
  model: string | null;
}

/**
 * Writes the end of an attempt in one transaction: status, answer, clip and calls. Resolves to the turn as it is then.
 * @throws LeaseLostError where the turn is no longer this runner's; nothing is written then
 */
export function finishTurn(
  client: DatabaseClient,
  turn: TurnRow,
  fence: Fence,
  outcome: Outcome,
): Promise<TurnRow> {
  return client.$transaction(async (transaction) => {
    const endedAt = new Date();
    await touchConversation(transaction, turn, endedAt);
    const [ended] = await transaction.turn.updateManyAndReturn({
      where: { ...fence, activeConversationId: { not: null } },
      data: { ...endColumns(outcome.end), model: outcome.model, endedAt },
    });
    if (ended === undefined) throw new LeaseLostError(`the turn ${turn.id} is no longer run here`);
    if (outcome.answer !== null) await createAnswer(transaction, turn, outcome.answer, endedAt);
    if (outcome.calls.length > 0)
      await transaction.modelCall.createMany({ data: owned(turn, outcome.calls) });
    return ended;
  });
}

/**
 * The first write of every transaction that ends a turn, as of those that add turns or delete the conversation: taken
 * in one order, they wait for each other and never for each other's rows.
 * @throws LeaseLostError where the conversation was deleted
 */
export async function touchConversation(
  transaction: DatabaseTransaction,
  { conversationId }: TurnRow,
  endedAt: Date,
): Promise<void> {
  const { count } = await transaction.conversation.updateMany({
    where: { id: conversationId },
    data: { lastActivityAt: endedAt, updatedAt: endedAt },
  });
  if (count === 0) throw new LeaseLostError(`the conversation ${conversationId} was deleted`);
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
  const { storageKey } = answer.sound;
  return (await client.audioClip.count({ where: { storageKey } })) > 0 ? written : null;
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

/** The calls of an attempt whose turn was taken over or deleted are still paid, so they are still counted. */
export async function recordCalls(
  client: DatabaseClient,
  turn: TurnRow,
  calls: Outcome["calls"],
): Promise<void> {
  const { id: turnId, conversationId } = turn;
  const [there, conversation] = await Promise.all([
    client.turn.count({ where: { id: turnId } }),
    client.conversation.count({ where: { id: conversationId } }),
  ]);
  const rows = owned(turn, calls).map((call) => ({
    ...call,
    turnId: there === 0 ? null : turnId,
    conversationId: conversation === 0 ? null : conversationId,
  }));
  if (rows.length === 0) return;
  // Who took the turn over may have counted the call already, by estimate.
  const earlier = client.modelCall.deleteMany({ where: { id: { in: rows.map(({ id }) => id) } } });
  await client.$transaction([earlier, client.modelCall.createMany({ data: rows })]);
}

function owned({ ownerId, conversationId, id: turnId, attempt }: TurnRow, calls: Outcome["calls"]) {
  return calls.map((call) => ({ ...call, ownerId, conversationId, turnId, attempt }));
}

async function createAnswer(
  transaction: DatabaseTransaction,
  { id: turnId, ownerId, conversationId }: TurnRow,
  { text, transcript, sound }: KeptAnswer,
  createdAt: Date,
): Promise<void> {
  const messageId = newId("msg");
  const owner = { ownerId, conversationId };
  await transaction.message.create({
    data: { id: messageId, ...owner, turnId, role: "ASSISTANT", text, transcript, createdAt },
  });
  if (sound === null) return;
  const { clipId, ...clip } = sound;
  await transaction.audioClip.create({ data: { id: clipId, ...owner, messageId, ...clip, createdAt } });
}
