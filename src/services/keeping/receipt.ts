import type { DatabaseClient, DatabaseTransaction } from "../../db/database.js";
import type { DeletionRow } from "../../db/rows.js";
import { newId } from "../../ids.js";

export type DeletionKind = "CONVERSATION" | "PERSON" | "RETENTION";
/** Who asked for a deletion: its owner, an operator at the command line, or a clock of retention. */
export type DeletionRequester = "VIEWER" | "OPERATOR" | "RETENTION";

/** Whom a call to the model is counted for once its person is gone. */
export const deletedOwnerId = "viewer_deleted";

/** Whose rows they are. */
export interface Owner {
  /** The owner of rows. */
  readonly id: string;
  readonly tenantId: string;
}

/** How much of each has gone. */
export type DeletionCounts = Pick<
  DeletionRow,
  | "conversations"
  | "turns"
  | "messages"
  | "clips"
  | "audioByteLength"
  | "logEntries"
  | "idempotencyKeys"
  | "events"
  | "apiKeys"
  | "uploads"
  | "anonymisedCalls"
>;

export interface NewDeletion {
  owner: Owner;
  kind: DeletionKind;
  requestedBy: DeletionRequester;
  /** Null for a person's deletion. */
  conversationId: string | null;
}

/** Begins a receipt. Of a conversation the rows go in the same transaction, so that only files are left to be removed. */
export function beginReceipt(
  transaction: DatabaseTransaction,
  { owner, ...deletion }: NewDeletion,
): Promise<DeletionRow> {
  const now = new Date();
  return transaction.deletion.create({
    data: {
      id: newId("del"),
      ownerId: owner.id,
      tenantId: owner.tenantId,
      ...deletion,
      requestedAt: now,
      touchedAt: now,
      rowsRemovedAt: deletion.conversationId === null ? null : now,
    },
  });
}

/** Adds what a transaction has removed to the receipt, in that transaction, so that nothing is counted twice. */
export async function addToReceipt(
  transaction: DatabaseTransaction,
  deletionId: string,
  counts: Partial<DeletionCounts>,
): Promise<void> {
  const more = Object.entries(counts).map(([name, count]) => [name, { increment: count }] as const);
  await transaction.deletion.update({
    where: { id: deletionId },
    data: { ...Object.fromEntries(more), touchedAt: new Date() },
  });
}

/** Newest first: of all owners, or of one; all, or those that are open. */
export function readReceipts(
  client: DatabaseClient,
  which: { ownerId?: string; open?: boolean; take: number },
): Promise<DeletionRow[]> {
  return client.deletion.findMany({
    where: {
      ...(which.ownerId === undefined ? {} : { ownerId: which.ownerId }),
      ...(which.open === true ? { completedAt: null } : {}),
    },
    orderBy: [{ requestedAt: "desc" }, { id: "desc" }],
    take: which.take,
  });
}

const kinds = ["CONVERSATION", "PERSON", "RETENTION"] as const satisfies DeletionKind[];
const requesters = ["VIEWER", "OPERATOR", "RETENTION"] as const satisfies DeletionRequester[];

/** The kind that a row names. Rows are written by this server only, so another word is a fault. */
export function toDeletionKind(word: string): DeletionKind {
  return oneOf(kinds, word);
}

export function toDeletionRequester(word: string): DeletionRequester {
  return oneOf(requesters, word);
}

function oneOf<Word extends string>(words: readonly Word[], word: string): Word {
  const found = words.find((name) => name === word);
  if (found === undefined) throw new Error(`a receipt has the word ${word}`);
  return found;
}

/** A receipt in the words of the API, for JSON. */
export function toldReceipt(row: DeletionRow) {
  const { id, kind, conversationId, requestedBy } = row;
  return {
    id,
    kind,
    viewer: row.ownerId,
    tenant: row.tenantId,
    conversationId,
    requestedBy,
    requestedAt: row.requestedAt.toISOString(),
    completedAt: row.completedAt?.toISOString() ?? null,
    conversations: row.conversations,
    turns: row.turns,
    messages: row.messages,
    clips: row.clips,
    audioByteLength: Number(row.audioByteLength),
    logEntries: row.logEntries,
    idempotencyKeys: row.idempotencyKeys,
    events: row.events,
    apiKeys: row.apiKeys,
    uploads: row.uploads,
    anonymisedCalls: row.anonymisedCalls,
  };
}
