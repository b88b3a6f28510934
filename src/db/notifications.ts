import pg from "pg";
import type { DatabaseConfig } from "../config/config.js";
import type { Logger } from "../logger.js";

/** See src/services/live/wake-ups.ts, which this serves. */
interface Channel {
  send(words: readonly string[]): void;
  close(): Promise<void>;
}

const channelName = "parley";
/** Postgres takes less than 8,000 bytes in one notification. */
const maxPayloadLength = 7_000;
/** More words than this are dropped while there is no connection: the others look by themselves. */
const maxPending = 10_000;
const reconnectMs = { first: 100, most: 5_000 };

/** In milliseconds. */
interface Probing {
  everyMs: number;
  /** How long any statement may take. */
  limitMs: number;
}

/** A connection that broke without a word, behind a firewall say, is noticed by its silence. */
const defaultProbing: Probing = { everyMs: 30_000, limitMs: 10_000 };

/** How servers that share a Postgres database wake each other; null on SQLite, which is for one server. */
export function notificationsOf(
  config: DatabaseConfig,
  { serverId, logger, probing = defaultProbing }: { serverId: string; logger: Logger; probing?: Probing },
): ((hear: (word: string | null) => void) => Channel) | null {
  if (config.kind === "sqlite") return null;
  const { url } = config;
  return (hear) => new PostgresChannel({ url, serverId, logger, probing, hear });
}

interface ChannelParts {
  url: string;
  serverId: string;
  logger: Logger;
  probing: Probing;
  hear: (word: string | null) => void;
}

/** LISTEN and NOTIFY on a connection of its own, made again whenever it breaks. */
class PostgresChannel implements Channel {
  readonly #parts: ChannelParts;
  #client: pg.Client | null = null;
  #pending = new Set<string>();
  #sending = false;
  #closed = false;
  #delayMs = reconnectMs.first;
  #retry: NodeJS.Timeout | null = null;
  #probe: NodeJS.Timeout | null = null;

  constructor(parts: ChannelParts) {
    this.#parts = parts;
    void this.#connect();
  }

  send(words: readonly string[]): void {
    for (const word of words) if (this.#pending.size < maxPending) this.#pending.add(word);
    void this.#flush();
  }

  async close(): Promise<void> {
    this.#closed = true;
    if (this.#retry !== null) clearTimeout(this.#retry);
    if (this.#probe !== null) clearTimeout(this.#probe);
    const client = this.#client;
    this.#client = null;
    await client?.end().catch(() => undefined);
  }

  async #connect(): Promise<void> {
    const { url, probing } = this.#parts;
    const client = new pg.Client({
      connectionString: url,
      connectionTimeoutMillis: 10_000,
      query_timeout: probing.limitMs,
      keepAlive: true,
    });
    let lost = false;
    const lose = (error: unknown) => {
      if (lost) return;
      lost = true;
      this.#lose(client, error);
    };
    client.on("error", lose);
    client.on("end", () => lose(new Error("the connection was closed")));
    client.on("notification", ({ payload }) => this.#hear(payload ?? ""));
    try {
      await client.connect();
      await client.query(`LISTEN ${channelName}`);
    } catch (error) {
      lose(error);
      return;
    }
    this.#probeLater(client, lose);
    await this.#opened(client);
  }

  #probeLater(client: pg.Client, lose: (error: unknown) => void): void {
    this.#probe = setTimeout(() => {
      // A connection that has been lost or replaced meanwhile is no longer asked.
      if (this.#client !== client) return;
      client.query("SELECT 1").then(() => this.#probeLater(client, lose), lose);
    }, this.#parts.probing.everyMs);
    this.#probe.unref();
  }

  async #opened(client: pg.Client): Promise<void> {
    if (this.#closed) return client.end().catch(() => undefined);
    this.#client = client;
    this.#delayMs = reconnectMs.first;
    // What was said before the connection stood was not heard.
    this.#parts.hear(null);
    await this.#flush();
  }

  #lose(client: pg.Client, error: unknown): void {
    if (this.#client === client) this.#client = null;
    client.end().catch(() => undefined);
    if (this.#closed) return;
    const delayMs = this.#delayMs;
    this.#parts.logger.warn(
      { err: error, delayMs },
      "the connection on which servers wake each other broke; connecting again",
    );
    this.#delayMs = Math.min(2 * delayMs, reconnectMs.most);
    this.#retry = setTimeout(() => void this.#connect(), delayMs);
    this.#retry.unref();
  }

  /** One notification at a time; words that come meanwhile go together in the next. */
  async #flush(): Promise<void> {
    if (this.#sending) return;
    this.#sending = true;
    try {
      while (this.#client !== null && this.#pending.size > 0) {
        const payload = this.#takePayload();
        await this.#client.query("SELECT pg_notify($1, $2)", [channelName, payload]);
      }
    } catch {
      // The words are lost with the connection; its own error is logged, and the others look by themselves.
    } finally {
      this.#sending = false;
    }
  }

  #takePayload(): string {
    const words = [this.#parts.serverId];
    let length = words.join("").length;
    for (const word of this.#pending) {
      length += word.length + 1;
      if (length > maxPayloadLength && words.length > 1) break;
      words.push(word);
      this.#pending.delete(word);
    }
    return words.join("\n");
  }

  #hear(payload: string): void {
    const [sender, ...words] = payload.split("\n");
    if (sender === this.#parts.serverId) return;
    for (const word of words) this.#parts.hear(word);
  }
}
