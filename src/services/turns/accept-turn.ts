import type { DatabaseClient, DatabaseTransaction } from "../../db/database.js";
import type { ConversationRow, TurnRow } from "../../db/rows.js";
import { newId } from "../../ids.js";
import type { Budgets } from "../budgets/budgets.js";
import { toUserSound } from "../history/load-history.js";
import { recordEvent } from "../live/conversation-log.js";
import { useUpload } from "../uploads/use-upload.js";
import {
  lastTurn,
  made,
  refuseWhileActive,
  stopAtReplay,
  takeConversation,
  unlessReplayed,
} from "./acceptance.js";
import type { Acceptance } from "./acceptance.js";
import { refuseAboveActive } from "./active-turns.js";
import { rememberUse } from "./idempotency.js";
import type { KeyedRequest } from "./idempotency.js";
import type { Lease } from "./lease.js";
import { replyColumns } from "./reply.js";
import type { ReplyWish } from "./reply.js";

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
