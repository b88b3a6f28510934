import { newId } from "../../src/ids.js";
import { titleKey } from "../../src/services/conversations/title.js";
import type { TestParley } from "./parley.js";

export interface StoredConversation {
  title?: string | null;
  at?: Date;
  archivedAt?: Date | null;
}

/** Conversations written straight into the database: with the times that a test wants, ties among them. */
export async function storeConversations(
  parley: TestParley,
  conversations: readonly StoredConversation[],
): Promise<string[]> {
  const rows = conversations.map(({ title = null, at = new Date(), archivedAt = null }) => ({
    id: newId("conv"),
    ownerId: "viewer_local",
    title,
    titleKey: titleKey(title),
    createdAt: at,
    updatedAt: at,
    lastActivityAt: at,
    archivedAt,
  }));
  await parley.server.context.database.client.conversation.createMany({ data: rows });
  return rows.map(({ id }) => id);
}

/**
 * Ended turns written straight into the database, each with everything that a turn can have: both messages with a clip
 * (whose bytes are not in the store) and a call to the model.
 */
export async function storeTurns(
  parley: TestParley,
  conversationId: string,
  count: number,
): Promise<string[]> {
  const { client } = parley.server.context.database;
  const turns = Array.from({ length: count }, (_, index) => turnRow(conversationId, index + 1));
  const messages = turns.flatMap(({ id }) => [
    messageRow(conversationId, id, "USER"),
    messageRow(conversationId, id, "ASSISTANT"),
  ]);
  await client.turn.createMany({ data: turns });
  await client.message.createMany({ data: messages });
  await client.audioClip.createMany({ data: messages.map(({ id }) => clipRow(conversationId, id)) });
  await client.modelCall.createMany({ data: turns.map(({ id }) => callRow(conversationId, id)) });
  return turns.map(({ id }) => id);
}

const at = new Date("2026-01-02T03:04:05.678Z");

function turnRow(conversationId: string, position: number) {
  return {
    id: newId("turn"),
    ownerId: "viewer_local",
    conversationId,
    position,
    status: "COMPLETED",
    replyModalities: "TEXT_AND_AUDIO",
    replyVoice: "alloy",
    replyFormat: "WAV",
    model: "gpt-audio",
    finishReason: "STOP",
    createdAt: at,
    startedAt: at,
    endedAt: at,
  };
}

function messageRow(conversationId: string, turnId: string, role: "USER" | "ASSISTANT") {
  const transcript = role === "USER" ? null : "Woof.";
  const owned = { ownerId: "viewer_local", conversationId, turnId };
  return { id: newId("msg"), ...owned, role, text: null, transcript, createdAt: at };
}

function clipRow(conversationId: string, messageId: string) {
  const id = newId("clip");
  return {
    id,
    ownerId: "viewer_local",
    conversationId,
    messageId,
    storageKey: `${conversationId}/${id}.wav`,
    format: "WAV",
    byteLength: 48_044,
    durationMs: 1_000,
    sha256: "0".repeat(64),
    createdAt: at,
  };
}

function callRow(conversationId: string, turnId: string) {
  return {
    id: newId("call"),
    ownerId: "viewer_local",
    conversationId,
    turnId,
    attempt: 1,
    endpoint: "https://example.openai.azure.com",
    deployment: "test-deployment",
    apiVersion: "v1",
    outcome: "COMPLETE",
    httpAttempts: 1,
    inputTextTokens: 3,
    inputAudioTokens: 10,
    outputTextTokens: 2,
    outputAudioTokens: 20,
    startedAt: at,
    endedAt: at,
  };
}
