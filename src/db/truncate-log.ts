import { setTimeout as delay } from "node:timers/promises";
import BetterSqlite3 from "better-sqlite3";
import { z } from "zod";

const tries = 100;
const tryAgainMs = 50;
/** `busy` is 1 where somebody reads or writes. */
const checkpointSchema = z.tuple([z.object({ busy: z.number() })]);

/**
 * Writes SQLite's write-ahead log into the database and empties its file. Resolves to whether it is empty: false where
 * somebody reads or writes for seconds. On a connection of its own, which never waits: SQLite would hold up the whole
 * process until another one, that makes a backup say, has read what it wanted.
 */
export async function truncateLog(path: string): Promise<boolean> {
  const connection = new BetterSqlite3(path, { timeout: 0 });
  try {
    for (let tried = 1; ; tried += 1) {
      const [{ busy }] = checkpointSchema.parse(connection.pragma("wal_checkpoint(TRUNCATE)"));
      if (busy === 0 || tried === tries) return busy === 0;
      await delay(tryAgainMs);
    }
  } finally {
    connection.close();
  }
}
