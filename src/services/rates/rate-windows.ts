import type { DatabaseClient } from "../../db/database.js";

/** A minute of one counter, as the database holds it. */
export interface RateWindow {
  /** Asked for so far, also beyond the limit. */
  used: number;
  endsAtMs: number;
}

/** Where all servers that share the database see how much was asked for. */
export interface RateWindows {
  /** Counts `permits` more; a window that is over begins anew. Resolves to the window with them counted. */
  count(key: string, permits: number): Promise<RateWindow>;
  /** The windows that are not over, by key. */
  read(keys: readonly string[]): Promise<ReadonlyMap<string, RateWindow>>;
  /** Removes windows that are over; resolves to how many. */
  sweep(): Promise<number>;
}

/** The length of every window, in milliseconds: limits are told by the minute. */
export const windowMs = 60_000;

/** One statement counts: two servers at the same moment can't both take the last permit. See docs/decisions. */
export class StoredRateWindows implements RateWindows {
  readonly #client: DatabaseClient;

  constructor(client: DatabaseClient) {
    this.#client = client;
  }

  async count(key: string, permits: number): Promise<RateWindow> {
    const now = BigInt(Date.now());
    const endsAt = now + BigInt(windowMs);
    const [row] = await this.#client.$queryRaw<StoredWindow[]>`
      INSERT INTO "RateWindow" ("key", "used", "endsAtMs") VALUES (${key}, ${permits}, ${endsAt})
      ON CONFLICT ("key") DO UPDATE SET
        "used" = excluded."used" +
          CASE WHEN "RateWindow"."endsAtMs" > ${now} THEN "RateWindow"."used" ELSE 0 END,
        "endsAtMs" =
          CASE WHEN "RateWindow"."endsAtMs" > ${now} THEN "RateWindow"."endsAtMs" ELSE excluded."endsAtMs" END
      RETURNING "used", "endsAtMs"`;
    if (row === undefined) throw new Error("a count answered nothing");
    return toWindow(row);
  }

  async read(keys: readonly string[]): Promise<ReadonlyMap<string, RateWindow>> {
    const where = { key: { in: [...keys] }, endsAtMs: { gt: BigInt(Date.now()) } };
    const rows = await this.#client.rateWindow.findMany({ where });
    return new Map(rows.map((row) => [row.key, toWindow(row)]));
  }

  async sweep(): Promise<number> {
    const where = { endsAtMs: { lte: BigInt(Date.now()) } };
    return (await this.#client.rateWindow.deleteMany({ where })).count;
  }
}

interface StoredWindow {
  used: number | bigint;
  endsAtMs: number | bigint;
}

function toWindow({ used, endsAtMs }: StoredWindow): RateWindow {
  return { used: Number(used), endsAtMs: Number(endsAtMs) };
}
