import type { DatabaseClient, DatabaseTransaction } from "../../db/database.js";
import type { ConversationRow, TurnRow } from "../../db/rows.js";
import { ParleyError } from "../../errors.js";
import { newId } from "../../ids.js";
import type { Budgets } from "../budgets/budgets.js";
import { refuseAboveActive } from "./active-turns.js";
import { countEvent, recordEvent } from "../live/conversation-log.js";
import { conversationNotFound } from "../not-found.js";
import { readQuestion } from "./question.js";
import type { Question } from "./question.js";
import { toUserSound } from "../history/load-history.js";
import { findUse, rememberUse } from "./idempotency.js";
import type { KeyedRequest } from "./idempotency.js";
import type { Lease } from "./lease.js";
import { replyColumns } from "./reply.js";
import type { ReplyWish } from "./reply.js";
import { useUpload } from "../uploads/use-upload.js";
import { isActive, isRetryable, toTurnStatus } from "./status.js";

/** User sound that is already in the store under its key. */
export interface AcceptedSound {
  clipId: string;
  storageKey: string;
  format: "WAV" | "MP3";
  byteLength: number;
  durationMs: number | null;
  sha256: string;
  receivedSha256: string;
}

export interface NewTurn {
  ownerId: string;
  conversationId: string;
  text: string | null;
  sound: AcceptedSound | null;
  /** The upload that the sound came by. */
  uploadId: string | null;
  reply: ReplyWish;
  defaultVoice: string;
  keyed: KeyedRequest | null;
  lease: Lease;
  /** Of the viewer, this one among them. */
  maxActive: number;
}

/** `replayed`: the key was used before, and this is the turn that it stands for; otherwise it waits to be run. */
export type Acceptance =
  { replayed: true; turn: TurnRow } | { replayed: false; turn: TurnRow; question: Question };

/**
 * Accepts a turn of whoever the client is bound to in one transaction (turn, user message, clip, key), already leased to the server that will run it.
 * @throws ParleyError NOT_FOUND, TURN_IN_PROGRESS, IDEMPOTENCY_KEY_REUSED, RATE_LIMITED, BUDGET_EXCEEDED
 */
export function acceptTurn(
  client: DatabaseClient,
  request: NewTurn,
  budgets: Budgets | null,
): Promise<Acceptance> {
  return unlessReplayed(client, async (transaction) => {
    const conversation = await takeConversation(transaction, request);
    await stopAtReplay(transaction, request.keyed);
    const last = await lastTurn(transaction, conversation.id);
    refuseWhileActive(last);
    const turn = await createTurn(transaction, request, conversation, (last?.position ?? 0) + 1);
    if (request.uploadId !== null) await useUpload(transaction, request.uploadId);
    if (request.keyed !== null) await rememberUse(transaction, request.keyed, made(turn));
    const { text, sound } = request;
    const message = { text, sound: sound === null ? null : toUserSound(sound) };
    const { instructions, usableRemoved } = conversation;
    const question = { instructions, usableRemoved, message };
    await budgets?.reserve(transaction, turn, question);
    await recordEvent(transaction, conversation, "TURN", turn.id);
    await refuseAboveActive(transaction, request.ownerId, request.maxActive);
    return { replayed: false, turn, question };
  });
}

export interface Retry {
  ownerId: string;
  turnId: string;
  conversationId: string;
  keyed: KeyedRequest | null;
  lease: Lease;
  maxActive: number;
}

export type RetryAcceptance = Acceptance & {
  /** Of the earlier answer's sound, which the caller removes from the store. */
  removedStorageKeys: string[];
};

/**
 * Makes the last turn of a conversation of whoever the client is bound to run again; the rows of the earlier answer go.
 * @throws ParleyError NOT_FOUND, TURN_NOT_RETRYABLE, TURN_IN_PROGRESS, IDEMPOTENCY_KEY_REUSED, RATE_LIMITED,
 * BUDGET_EXCEEDED
 */
export async function acceptRetry(
  client: DatabaseClient,
  request: Retry,
  budgets: Budgets | null,
): Promise<RetryAcceptance> {
  let removedStorageKeys: string[] = [];
  const acceptance = await unlessReplayed(client, async (transaction) => {
    const conversation = await takeConversation(transaction, request);
    await stopAtReplay(transaction, request.keyed);
    const last = await lastTurn(transaction, conversation.id);
    refuseWhileActive(last);
    if (last?.id !== request.turnId || !isRetryable(toTurnStatus(last.status))) throw notRetryable();
    removedStorageKeys = await removeAnswer(transaction, last.id);
    const data = requeued(last, request.lease);
    const turn = await transaction.turn.update({ where: { id: last.id }, data });
    if (request.keyed !== null) await rememberUse(transaction, request.keyed, made(turn));
    const question = await readQuestion(transaction, turn, conversation);
    await budgets?.reserve(transaction, turn, question);
    await recordEvent(transaction, conversation, "TURN", turn.id);
    await refuseAboveActive(transaction, request.ownerId, request.maxActive);
    return { replayed: false, turn, question };
  });
  return { ...acceptance, removedStorageKeys };
}

/** Ends a transaction whose request turns out to be a replay, so that nothing of it is written. */
class Replayed extends Error {
  readonly turn: TurnRow;

  constructor(turn: TurnRow) {
    super("the key was used before");
    this.turn = turn;
  }
}

async function unlessReplayed(
  client: DatabaseClient,
  accept: (transaction: DatabaseTransaction) => Promise<Acceptance>,
): Promise<Acceptance> {
  try {
    return await client.$transaction(accept);
  } catch (error) {
    if (error instanceof Replayed) return { replayed: true, turn: error.turn };
    throw error;
  }
}

/**
 * Takes the conversation's row for this transaction, by the write that every acceptance makes: requests for one
 * conversation are accepted one after the other, so that each sees the turns and keys of those before it.
 */
async function takeConversation(
  transaction: DatabaseTransaction,
  { conversationId }: { conversationId: string },
): Promise<ConversationRow> {
  const now = new Date();
  const [conversation] = await transaction.conversation.updateManyAndReturn({
    where: { id: conversationId },
    data: { lastActivityAt: now, updatedAt: now, archivedAt: null, ...countEvent },
  });
  if (conversation === undefined) throw conversationNotFound();
  return conversation;
}

async function stopAtReplay(transaction: DatabaseTransaction, keyed: KeyedRequest | null): Promise<void> {
  const use = keyed === null ? null : await findUse(transaction, keyed);
  if (use?.turnId == null) return;
  throw new Replayed(await transaction.turn.findUniqueOrThrow({ where: { id: use.turnId } }));
}

/** Only the last turn can be active: none is added behind an active one, and only the last one is run again. */
function refuseWhileActive(last: TurnRow | null): void {
  if (last === null || !isActive(toTurnStatus(last.status))) return;
  throw new ParleyError(
    "TURN_IN_PROGRESS",
    "Another turn of this conversation is running. Wait for its end or cancel it, then try again.",
    { retryable: true, turnId: last.id },
  );
}

function made(turn: TurnRow): { conversationId: string; turnId: string } {
  return { conversationId: turn.conversationId, turnId: turn.id };
}

function lastTurn(transaction: DatabaseTransaction, conversationId: string): Promise<TurnRow | null> {
  return transaction.turn.findFirst({ where: { conversationId }, orderBy: { position: "desc" } });
}

async function createTurn(
  transaction: DatabaseTransaction,
  request: NewTurn,
  conversation: ConversationRow,
  position: number,
): Promise<TurnRow> {
  const { ownerId, conversationId, reply } = request;
  // One instant: a conversation is never last active before its newest turn was made.
  const createdAt = conversation.lastActivityAt;
  const turn = await transaction.turn.create({
    data: {
      id: newId("turn"),
      ownerId,
      tenantId: conversation.tenantId,
      conversationId,
      activeConversationId: conversationId,
      position,
      status: "QUEUED",
      ...replyColumns({ ...reply, voice: reply.voice ?? conversation.voice ?? request.defaultVoice }),
      leaseOwner: request.lease.owner,
      leaseExpiresAt: request.lease.expiresAt,
      createdAt,
    },
  });
  const message = { ownerId, conversationId, turnId: turn.id, role: "USER", text: request.text, createdAt };
  const messageId = newId("msg");
  await transaction.message.create({ data: { id: messageId, ...message } });
  if (request.sound !== null) {
    const { clipId, ...clip } = request.sound;
    await transaction.audioClip.create({
      data: { id: clipId, ownerId, conversationId, messageId, ...clip, createdAt },
    });
  }
  return turn;
}

async function removeAnswer(transaction: DatabaseTransaction, turnId: string): Promise<string[]> {
  const answer = await transaction.message.findUnique({
    where: { turnId_role: { turnId, role: "ASSISTANT" } },
    include: { audio: true },
  });
  if (answer === null) return [];
  await transaction.message.delete({ where: { id: answer.id } });
  return answer.audio === null ? [] : [answer.audio.storageKey];
}

/** The columns of a turn that waits to run again: everything that its last attempt left is gone. */
function requeued(turn: TurnRow, lease: Lease) {
  return {
    status: "QUEUED",
    attempt: turn.attempt + 1,
    activeConversationId: turn.conversationId,
    leaseOwner: lease.owner,
    leaseExpiresAt: lease.expiresAt,
    cancelRequestedAt: null,
    runningCall: null,
    model: null,
    finishReason: null,
    omittedTurns: 0,
    errorCode: null,
    errorMessage: null,
    errorRetryable: null,
    errorRetryAfter: null,
    startedAt: null,
    endedAt: null,
  };
}

function notRetryable(): ParleyError {
  return new ParleyError(
    "TURN_NOT_RETRYABLE",
    "Only the last turn of a conversation can be run again, and only if it is FAILED or CANCELLED.",
  );
}
