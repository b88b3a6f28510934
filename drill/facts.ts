import type { Dirent } from "node:fs";
import { readdir } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { text } from "./database.js";
import type { DrillDatabase, Row } from "./database.js";

/** What the database and the folder hold when everything is over. */
export interface Facts {
  conversations: Map<string, Row>;
  turns: Map<string, Row>;
  clips: Row[];
  calls: Row[];
  /** Rows by table, as they are kept as evidence. */
  tables: Record<string, Row[]>;
  /** The keys of the files of sound, without drafts. */
  files: Set<string>;
  drafts: string[];
}

const tables = ["Conversation", "Turn", "Message", "AudioClip", "ModelCall", "IdempotencyKey"] as const;

export function soundFolder(dataDir: string): string {
  return join(dataDir, "audio");
}

export async function readFacts(database: DrillDatabase, dataDir: string): Promise<Facts> {
  const found: Record<string, Row[]> = {};
  for (const table of [...tables, "AnswerLogEntry"]) found[table] = await database.rows(table);
  const paths = await filesIn(soundFolder(dataDir));
  const isDraft = (path: string) => path.startsWith("drafts/");
  return {
    conversations: byId(found["Conversation"]),
    turns: byId(found["Turn"]),
    clips: found["AudioClip"] ?? [],
    calls: found["ModelCall"] ?? [],
    tables: found,
    files: new Set(paths.filter((path) => !isDraft(path))),
    drafts: paths.filter(isDraft),
  };
}

function byId(rows: Row[] = []): Map<string, Row> {
  return new Map(rows.map((row) => [text(row, "id") ?? "", row]));
}

async function filesIn(folder: string): Promise<string[]> {
  const entries = await entriesIn(folder);
  return (
    entries
      // The mark of the store is no sound.
      .filter((entry) => entry.isFile() && !entry.name.startsWith("."))
      .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join("/"))
  );
}

/** A server that sweeps may remove a folder while it is read: then all is read again. */
async function entriesIn(folder: string): Promise<Dirent[]> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await readdir(folder, { recursive: true, withFileTypes: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT" || tries === 100) throw error;
      await delay(50);
    }
  }
}

export function grouped<Item, Key>(items: Iterable<Item>, keyOf: (item: Item) => Key): Map<Key, Item[]> {
  const groups = new Map<Key, Item[]>();
  for (const item of items) groups.set(keyOf(item), [...(groups.get(keyOf(item)) ?? []), item]);
  return groups;
}
