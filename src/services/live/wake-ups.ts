/** Carries words between the servers that share a database. Words may be lost: who needs to know looks now and then. */
export interface Channel {
  /** Tells all other servers. Returns at once. */
  send(words: readonly string[]): void;
  close(): Promise<void>;
}

/** Opens the channel; `hear` is called with each word of another server, and with null where some may have been missed. */
export type OpenChannel = (hear: (word: string | null) => void) => Channel;

/** What there may be news of. The log and the rows are the truth: this only says when to look at them. */
export type Topic = `${"turn" | "end" | "cancel" | "owner"} ${string}`;

/** How often everybody looks: a word of another server may have been lost, or the last look have failed. In milliseconds. */
const lookAgainMs = 2_000;

/** Wakes those who wait for news, in this process at once and in the other servers that share the database. */
export class WakeUps {
  readonly #waiting = new Map<string, Set<() => void>>();
  readonly #channel: Channel | null;
  readonly #timer: NodeJS.Timeout;

  /** Without a channel this is the only server. */
  constructor(open: OpenChannel | null) {
    this.#channel = open?.((word) => this.#hear(word)) ?? null;
    this.#timer = setInterval(() => this.#hear(null), lookAgainMs).unref();
  }

  /** There is news: those who wait here are called before this returns. */
  publish(topic: Topic): void {
    this.#hear(topic);
    this.tellOthers(topic);
  }

  /** There is news that those who wait here have been told already. */
  tellOthers(topic: Topic): void {
    this.#channel?.send([topic]);
  }

  /** Calls back at each piece of news, and whenever one may have been missed. Answers how to stop. */
  listen(topic: Topic, wake: () => void): () => void {
    const waiting = this.#waiting.get(topic) ?? new Set();
    this.#waiting.set(topic, waiting);
    // A function of its own, so that the same one may listen twice.
    const entry = () => wake();
    waiting.add(entry);
    return () => {
      waiting.delete(entry);
      if (waiting.size === 0 && this.#waiting.get(topic) === waiting) this.#waiting.delete(topic);
    };
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#channel?.close();
  }

  #hear(word: string | null): void {
    const topics = word === null ? [...this.#waiting.values()] : [this.#waiting.get(word) ?? []];
    for (const waiting of topics) for (const wake of [...waiting]) wake();
  }
}
