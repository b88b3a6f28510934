import type { ConversationRow } from "../../db/rows.js";
import type { ExportedTurn, ExportSource } from "./export-source.js";

/** A conversation as JSON, in pieces: one for each turn, so that none has to be held whole. */
export async function* conversationJson(
  source: ExportSource,
  conversation: ConversationRow,
): AsyncGenerator<string, void, undefined> {
  const { id, title, instructions, voice, createdAt, updatedAt, lastActivityAt, archivedAt } = conversation;
  const { audioRetentionDays, textRetentionDays } = conversation;
  const own = { id, title, instructions, voice, createdAt, updatedAt, lastActivityAt, archivedAt };
  const retention = { audioDays: audioRetentionDays, textDays: textRetentionDays };
  yield `${JSON.stringify({ ...own, retention }).slice(0, -1)},"turns":`;
  yield* jsonArray(source.turns(id), toJson);
  yield ',"idempotencyKeys":';
  yield* jsonArray(source.idempotencyKeys(id));
  yield "}\n";
}

/** An array as JSON, in pieces: one for each item. Counts that the database keeps as big integers become numbers. */
export async function* jsonArray<Item>(
  items: AsyncIterable<Item> | Iterable<Item>,
  told: (item: Item) => unknown = (item) => item,
): AsyncGenerator<string, void, undefined> {
  let separator = "[\n";
  for await (const item of items) {
    yield separator + JSON.stringify(told(item), plainNumbers);
    separator = ",\n";
  }
  yield separator === "[\n" ? "[]" : "\n]";
}

function plainNumbers(_key: string, value: unknown): unknown {
  return typeof value === "bigint" ? Number(value) : value;
}

function toJson({ turn, usage }: ExportedTurn) {
  const { errorCode, errorMessage } = turn;
  return {
    id: turn.id,
    position: turn.position,
    status: turn.status,
    attempt: turn.attempt,
    model: turn.model,
    finishReason: turn.finishReason,
    omittedTurns: turn.omittedTurns,
    createdAt: turn.createdAt,
    startedAt: turn.startedAt,
    endedAt: turn.endedAt,
    reply: {
      modalities: turn.replyModalities,
      voice: turn.replyVoice,
      format: turn.replyFormat,
      maxTokens: turn.replyMaxTokens,
      temperature: turn.replyTemperature,
    },
    error: errorCode === null ? null : { code: errorCode, message: errorMessage },
    usage,
    messages: turn.messages.map((message) => ({
      id: message.id,
      role: message.role,
      text: message.text,
      transcript: message.transcript,
      createdAt: message.createdAt,
      audio: message.audio === null ? null : clipJson(message.audio),
    })),
  };
}

function clipJson(clip: NonNullable<ExportedTurn["turn"]["messages"][number]["audio"]>) {
  const { id, format, byteLength, durationMs, sha256, storageKey, createdAt, removedAt } = clip;
  const file = removedAt === null && sha256 !== null ? storageKey.slice(storageKey.indexOf("/") + 1) : null;
  return { id, file, format, byteLength, durationMs, sha256, createdAt, removedAt };
}
