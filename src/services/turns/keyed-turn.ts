import type { Viewer } from "../../auth/viewer.js";
import type { DatabaseClient } from "../../db/database.js";
import type { TurnRow } from "../../db/rows.js";
import { findUse, hashRequest } from "./idempotency.js";
import type { KeyedRequest } from "./idempotency.js";
import type { ReplyWish } from "./reply.js";

export interface CheckedTurn {
  conversationId: string;
  text: string | null;
  reply: ReplyWish;
  key: string | null;
  waitMs: number;
}

/** Sound is compared by the SHA-256 of the bytes that the client sent, whichever way it came. Null without a key. */
export function keyedRequest(
  viewer: Viewer,
  { key, conversationId, text, reply }: CheckedTurn,
  receivedSha256: string | null,
): KeyedRequest | null {
  if (key === null) return null;
  const operation = receivedSha256 === null ? "addTextTurn" : "addAudioTurn";
  const requestHash = hashRequest(operation, { text, ...reply, audio: receivedSha256 });
  return { ownerId: viewer.id, scope: conversationId, key, requestHash };
}

/**
 * The turn that the key stands for; null where it was not used.
 * @throws ParleyError IDEMPOTENCY_KEY_REUSED
 */
export async function findKeyedTurn(client: DatabaseClient, keyed: KeyedRequest): Promise<TurnRow | null> {
  const use = await findUse(client, keyed);
  return use?.turnId == null ? null : client.turn.findUnique({ where: { id: use.turnId } });
}
