import type { RateWindow, RateWindows } from "./rate-windows.js";

/** What a server may still hand out of one counter without asking the database. */
interface Held {
  permits: number;
  /** Nothing is left of the window, for any server. */
  exhausted: boolean;
  endsAtMs: number;
  /** Asks for more; others who need some wait for the same. */
  asking: Promise<void> | null;
}

export interface Quota {
  key: string;
  limit: number;
  /** How many permits are asked of the database at once: 1 counts exactly. */
  block: number;
}

export interface PermitsParts {
  windows: RateWindows;
  windowMs: number;
  now: () => number;
  /** Told when the database could not be asked. */
  onFault: (error: unknown) => void;
}

/** How many counters are remembered before those whose window is over are forgotten. */
const forgetAbove = 1_000;

/**
 * The permits of this server. It takes them from the database in blocks and hands them out one by one; what it has not
 * handed out when the window ends is lost. Where the database can't be asked, it counts by itself for one window: what
 * is behind the limits needs the database, too, and a limit must not make an outage worse.
 */
export class Permits {
  readonly #parts: PermitsParts;
  readonly #held = new Map<string, Held>();
  #forgetAbove = forgetAbove;

  constructor(parts: PermitsParts) {
    this.#parts = parts;
  }

  /** Resolves to null where one was taken, else to when the window ends, in milliseconds since 1970. */
  async take(quota: Quota): Promise<number | null> {
    for (;;) {
      const held = this.#heldOf(quota.key);
      if (held.permits > 0) {
        held.permits -= 1;
        return null;
      }
      if (held.exhausted) return held.endsAtMs;
      held.asking ??= this.#ask(quota, held).finally(() => (held.asking = null));
      await held.asking;
    }
  }

  /** When the window of a counter ends of which this server knows that nothing is left; null for any other. */
  exhaustedUntil(key: string): number | null {
    const held = this.#held.get(key);
    return held?.exhausted === true && held.permits === 0 && held.endsAtMs > this.#parts.now()
      ? held.endsAtMs
      : null;
  }

  /** What this server has taken and not handed out. */
  inHand(key: string): number {
    const held = this.#held.get(key);
    return held === undefined || held.endsAtMs <= this.#parts.now() ? 0 : held.permits;
  }

  async #ask({ key, limit, block }: Quota, held: Held): Promise<void> {
    const window = await this.#count(key, block);
    if (window === null) {
      this.#countAlone(held, limit);
      return;
    }
    const granted = Math.max(0, Math.min(block, limit - (window.used - block)));
    held.permits = granted;
    held.exhausted = window.used >= limit;
    held.endsAtMs = window.endsAtMs;
  }

  async #count(key: string, block: number): Promise<RateWindow | null> {
    try {
      return await this.#parts.windows.count(key, block);
    } catch (error) {
      this.#parts.onFault(error);
      return null;
    }
  }

  #countAlone(held: Held, limit: number): void {
    held.permits = limit;
    held.exhausted = true;
    held.endsAtMs = this.#parts.now() + this.#parts.windowMs;
  }

  #heldOf(key: string): Held {
    const known = this.#held.get(key);
    if (known !== undefined && (known.asking !== null || known.endsAtMs > this.#parts.now())) return known;
    const fresh = { permits: 0, exhausted: false, endsAtMs: Infinity, asking: null };
    this.#held.set(key, fresh);
    this.#forgetOver();
    return fresh;
  }

  #forgetOver(): void {
    if (this.#held.size <= this.#forgetAbove) return;
    const now = this.#parts.now();
    for (const [key, { endsAtMs, asking }] of this.#held)
      if (asking === null && endsAtMs <= now) this.#held.delete(key);
    this.#forgetAbove = Math.max(forgetAbove, 2 * this.#held.size);
  }
}
