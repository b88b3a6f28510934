import DataLoader from "dataloader";
import type { DatabaseClient } from "../../db/database.js";
import type { AudioClipRow, MessageRow } from "../../db/rows.js";
import { toAudioFormat } from "../audio/clip-format.js";
import { pcmHeaderByteLength, readGrowth } from "../live/read-answer.js";
import type { Growth } from "../live/read-answer.js";

/** Fills in what the log knows of answers that are still being said: their rows hold it only once they have ended. */
export interface GrowingAnswers {
  messages(rows: Promise<MessageRow[]>): Promise<MessageRow[]>;
  clips(rows: Promise<AudioClipRow[]>): Promise<AudioClipRow[]>;
}

/** Reads the log once for a message, so that its words and its sound are of one moment. */
export function growingAnswers(client: DatabaseClient): GrowingAnswers {
  const growths = new DataLoader<string, Growth | null>(async (ids) => {
    const found = await readGrowth(client, ids);
    return ids.map((id) => found.get(id) ?? null);
  });
  return {
    messages: async (rows) => {
      const found = await rows;
      return found.some(({ growing }) => growing)
        ? Promise.all(found.map(async (row) => (row.growing ? grownMessage(client, growths, row) : row)))
        : found;
    },
    clips: async (rows) => {
      const found = await rows;
      if (!found.some(({ sha256 }) => sha256 === null)) return found;
      const clips = await Promise.all(
        found.map(async (row) => (row.sha256 === null ? grownClip(client, growths, row) : row)),
      );
      return clips.filter((clip) => clip !== null);
    },
  };
}

type Growths = DataLoader<string, Growth | null>;

async function grownMessage(client: DatabaseClient, growths: Growths, row: MessageRow): Promise<MessageRow> {
  const growth = await growths.load(row.id);
  if (growth !== null) return { ...row, text: growth.text, transcript: growth.transcript };
  // It has ended since its row was read.
  return (await client.message.findUnique({ where: { id: row.id } })) ?? row;
}

/** Null for sound that comes as a file: it is offered when the turn has ended and all of the file is sure to stay. */
async function grownClip(
  client: DatabaseClient,
  growths: Growths,
  row: AudioClipRow,
): Promise<AudioClipRow | null> {
  const growth = await growths.load(row.messageId);
  if (growth === null) return client.audioClip.findUnique({ where: { id: row.id } });
  const headerByteLength = pcmHeaderByteLength(toAudioFormat(row.format));
  return headerByteLength === null ? null : { ...row, byteLength: headerByteLength + growth.audioByteLength };
}
