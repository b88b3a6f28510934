import { z } from "zod";
import type { ConversationEventType } from "./conversation-log.js";
import { notACursor, parseJson } from "./position.js";

/** What a subscriber is told of a conversation. */
export interface ConversationChange {
  type: ConversationEventType;
  /** For the subscription that it came from. */
  cursor: string;
  conversationId: string;
  /** Of a TURN event; null otherwise. */
  turnId: string | null;
}

/** Events are kept for a week; see docs/limits.md. */
export const eventLifetimeMs = 7 * 24 * 60 * 60 * 1000;

const ofConversation = z.tuple([z.literal("c"), z.string(), z.int().min(0)]);
const ofViewer = z.tuple([z.literal("v"), z.string().regex(/^\d{1,18}$/)]);

export function conversationCursor(conversationId: string, conversationSequence: number): string {
  return encode(["c", conversationId, conversationSequence]);
}

/** @throws ParleyError BAD_USER_INPUT for anything but a cursor of this conversation */
export function parseConversationCursor(conversationId: string, cursor: string): number {
  const parts = ofConversation.safeParse(parseJson(cursor)).data;
  if (parts?.[1] !== conversationId) throw notACursor();
  return parts[2];
}

export function viewerCursor(sequence: bigint): string {
  return encode(["v", sequence.toString()]);
}

/** @throws ParleyError BAD_USER_INPUT for anything but a cursor of viewerEvents */
export function parseViewerCursor(cursor: string): bigint {
  const parts = ofViewer.safeParse(parseJson(cursor)).data;
  if (parts === undefined) throw notACursor();
  return BigInt(parts[1]);
}

function encode(parts: readonly (string | number)[]): string {
  return Buffer.from(JSON.stringify(parts)).toString("base64url");
}
