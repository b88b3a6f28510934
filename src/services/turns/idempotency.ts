import { createHash } from "node:crypto";
import type { DatabaseTransaction } from "../../db/database.js";
import { ParleyError } from "../../errors.js";
import { newId } from "../../ids.js";

/** A key that a client gave, with what it was given for. */
export interface KeyedRequest {
  ownerId: string;
  /** The conversation's id for turns; `viewer` for startConversation. */
  scope: string;
  key: string;
  requestHash: string;
}

export const viewerScope = "viewer";

/** What is compared: the operation and all of its input but key and waitMs, defaults filled in. */
export function hashRequest(operation: string, input: Readonly<Record<string, unknown>>): string {
  const sorted = Object.entries(input).sort(([left], [right]) => (left < right ? -1 : 1));
  return createHash("sha256")
    .update(JSON.stringify([operation, sorted]))
    .digest("hex");
}

/**
 * What the key was used for before, or null.
 * @throws ParleyError IDEMPOTENCY_KEY_REUSED where that was another request
 */
export async function findUse(
  transaction: DatabaseTransaction,
  { ownerId, scope, key, requestHash }: KeyedRequest,
): Promise<{ conversationId: string; turnId: string | null } | null> {
  const use = await transaction.idempotencyKey.findUnique({
    where: { ownerId_scope_key: { ownerId, scope, key } },
  });
  if (use !== null && use.requestHash !== requestHash) {
    throw new ParleyError(
      "IDEMPOTENCY_KEY_REUSED",
      "This idempotency key was used before with other input. Use a new key for a new request.",
    );
  }
  return use;
}

/** Remembers the key with what it made; a unique violation tells that another request was first. */
export async function rememberUse(
  transaction: DatabaseTransaction,
  request: KeyedRequest,
  made: { conversationId: string; turnId: string | null },
): Promise<void> {
  await transaction.idempotencyKey.create({
    data: { id: newId("key"), ...request, ...made, createdAt: new Date() },
  });
}
