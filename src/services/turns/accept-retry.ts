import type { DatabaseClient, DatabaseTransaction } from "../../db/database.js";
import type { TurnRow } from "../../db/rows.js";
import { ParleyError } from "../../errors.js";
import type { Budgets } from "../budgets/budgets.js";
import { recordEvent } from "../live/conversation-log.js";
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
import { readQuestion } from "./question.js";
import { isRetryable, toTurnStatus } from "./status.js";

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
