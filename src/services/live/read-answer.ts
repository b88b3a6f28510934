import { z } from "zod";
import type { DatabaseClient } from "../../db/database.js";
import { listOf } from "../../db/sql.js";
import { wavHeaderByteLength } from "../audio/formats/wav-header.js";
import { toAudioFormat } from "../audio/clip-format.js";
import type { AudioFormat } from "../audio/clip-format.js";
import { toTurnStatus } from "../turns/status.js";
import type { AnswerState } from "./position.js";

/** The sound of an answer that is told in pieces. */
export interface PcmClip {
  id: string;
  storageKey: string;
  /** What stands before the first sample, in bytes. */
  headerByteLength: number;
}

/** What one read of the log has found; the next one goes on behind it. */
export interface ReadAnswer extends AnswerState {
  messageId: string | null;
  /** Of the log's last entry; 0 before the first. */
  sequence: number;
  clip: PcmClip | null;
}

const flag = z.union([z.boolean(), z.number()]).transform(Boolean);
const rowSchema = z.object({
  attempt: z.coerce.number(),
  status: z.string(),
  messageId: z.string().nullable(),
  growing: flag.nullable(),
  text: z.string().nullable(),
  transcript: z.string().nullable(),
  clipId: z.string().nullable(),
  storageKey: z.string().nullable(),
  format: z.string().nullable(),
  byteLength: z.coerce.number(),
  sequence: z.coerce.number().nullable(),
  moreText: z.string().nullable(),
  moreTranscript: z.string().nullable(),
  audioByteLength: z.coerce.number().nullable(),
});
type Row = z.infer<typeof rowSchema>;

/**
 * Where a turn and its answer stand: what the log has beyond `known`, put behind it, or the kept answer. One statement,
 * so that words, sound and status are of one moment. Null where there is no such turn.
 */
export async function readAnswer(
  client: DatabaseClient,
  turnId: string,
  known: ReadAnswer | null,
): Promise<ReadAnswer | null> {
  const messageId = known?.messageId ?? "";
  const sequence = known?.sequence ?? 0;
  const found: unknown[] = await client.$queryRaw`
    SELECT t."attempt", t."status", m."id" AS "messageId", m."growing", m."text", m."transcript",
      c."id" AS "clipId", c."storageKey", c."format", COALESCE(c."byteLength", 0) AS "byteLength",
      l."sequence", l."text" AS "moreText", l."transcript" AS "moreTranscript", l."audioByteLength"
    FROM "Turn" t
    LEFT JOIN "Message" m ON m."turnId" = t."id" AND m."role" = 'ASSISTANT'
    LEFT JOIN "AudioClip" c ON c."messageId" = m."id" AND c."removedAt" IS NULL
    LEFT JOIN "AnswerLogEntry" l ON l."messageId" = m."id" AND (m."id" <> ${messageId} OR l."sequence" > ${sequence})
    WHERE t."id" = ${turnId}
    ORDER BY l."sequence"`;
  const rows = found.map((row) => rowSchema.parse(row));
  const [row] = rows;
  if (row === undefined) return null;
  const common = { attempt: row.attempt, status: toTurnStatus(row.status), messageId: row.messageId };
  const clip = toPcmClip(row);
  if (row.growing !== true) return { ...common, ...keptAnswer(row, clip), sequence: 0, clip };
  const before = known !== null && known.messageId === row.messageId ? known : nothingYet;
  const growth = grown(before, rows);
  return { ...common, ...growth, audioByteLength: clip === null ? 0 : growth.audioByteLength, clip };
}

const nothingYet = { text: "", transcript: "", audioByteLength: 0, sequence: 0 };

function keptAnswer({ text, transcript, byteLength }: Row, clip: PcmClip | null) {
  const audioByteLength = clip === null ? 0 : Math.max(0, byteLength - clip.headerByteLength);
  return { text: text ?? "", transcript: transcript ?? "", audioByteLength };
}

function grown(before: typeof nothingYet, rows: readonly Row[]): typeof nothingYet {
  const { text, transcript, audioByteLength, sequence } = before;
  const last = rows.at(-1);
  return {
    text: text + rows.map((row) => row.moreText ?? "").join(""),
    transcript: transcript + rows.map((row) => row.moreTranscript ?? "").join(""),
    audioByteLength: last?.audioByteLength ?? audioByteLength,
    sequence: last?.sequence ?? sequence,
  };
}

function toPcmClip({ clipId, storageKey, format }: Row): PcmClip | null {
  if (clipId === null || storageKey === null || format === null) return null;
  const headerByteLength = pcmHeaderByteLength(toAudioFormat(format));
  return headerByteLength === null ? null : { id: clipId, storageKey, headerByteLength };
}

/** How much of a clip is told in pieces, in bytes. */
export function pcmByteLengthOf({ format, byteLength }: { format: string; byteLength: number }): number {
  const headerByteLength = pcmHeaderByteLength(toAudioFormat(format));
  return headerByteLength === null ? 0 : Math.max(0, byteLength - headerByteLength);
}

/** What stands before the samples of a clip that grows as samples; null for other formats, which come as whole files. */
export function pcmHeaderByteLength(format: AudioFormat): number | null {
  if (format === "WAV") return wavHeaderByteLength;
  return format === "PCM16" ? 0 : null;
}

/** The words and the sound of a message that grows. */
export interface Growth {
  text: string | null;
  transcript: string | null;
  /** Without a header, in bytes. */
  audioByteLength: number;
}

const growthSchema = z.object({
  messageId: z.string(),
  text: z.string().nullable(),
  transcript: z.string().nullable(),
  audioByteLength: z.coerce.number().nullable(),
});

/**
 * How far the answers that are still being said have come, by message; one that has ended meanwhile is absent. One
 * statement, so that each is of one moment.
 */
export async function readGrowth(
  client: DatabaseClient,
  messageIds: readonly string[],
): Promise<Map<string, Growth>> {
  if (messageIds.length === 0) return new Map();
  const found: unknown[] = await client.$queryRaw`
    SELECT m."id" AS "messageId", l."text", l."transcript", l."audioByteLength"
    FROM "Message" m LEFT JOIN "AnswerLogEntry" l ON l."messageId" = m."id"
    WHERE m."growing" AND m."id" IN ${listOf(messageIds)} ORDER BY m."id", l."sequence"`;
  const growths = new Map<string, Growth>();
  for (const row of found) {
    const { messageId, text, transcript, audioByteLength } = growthSchema.parse(row);
    const before = growths.get(messageId) ?? { text: null, transcript: null, audioByteLength: 0 };
    growths.set(messageId, {
      text: appended(before.text, text),
      transcript: appended(before.transcript, transcript),
      audioByteLength: audioByteLength ?? before.audioByteLength,
    });
  }
  return growths;
}

function appended(before: string | null, more: string | null): string | null {
  return more === null ? before : (before ?? "") + more;
}
