import type { RateBounds, RatesConfig } from "../../config/config.js";
import { ParleyError } from "../../errors.js";
import type { Logger } from "../../logger.js";
import { Permits } from "./permits.js";
import type { Quota } from "./permits.js";
import { windowMs } from "./rate-windows.js";
import type { RateWindow, RateWindows } from "./rate-windows.js";

/** What is counted: turns that are asked for, files that are sent, and everything else. */
export type RateKind = keyof RateBounds;

/** Where one kind of a viewer stands. */
export interface RateState {
  limit: number;
  remaining: number;
  /** When the window ends; null where none has begun. */
  resetsAt: Date | null;
}

export interface RateLimitsParts {
  windows: RateWindows;
  rates: RatesConfig;
  logger: Logger;
  now?: () => number;
}

/** Reads are many and cheap: a server takes a twentieth of the limit at once, so that not each costs a write. */
const readBlocks = 20;
/** How often the same is logged at most. */
const warnEveryMs = 10_000;
const uncounted = "the rate limits can't be counted in the database: this server counts alone for a minute";

/**
 * How much a viewer and a client's address may ask for in a minute, counted in the database for all servers together.
 * A window begins with its first request and lasts a minute; what is over the limit is refused until it ends.
 */
export class RateLimits {
  readonly #parts: RateLimitsParts;
  readonly #permits: Permits;
  readonly #now: () => number;
  readonly #warnedAtMs = new Map<string, number>();

  constructor(parts: RateLimitsParts) {
    this.#parts = parts;
    this.#now = parts.now ?? Date.now;
    const onFault = (error: unknown) => this.#warn({ err: error }, uncounted);
    this.#permits = new Permits({ windows: parts.windows, windowMs, now: this.#now, onFault });
  }

  /** @throws ParleyError RATE_LIMITED */
  async takeForViewer(viewerId: string, kind: RateKind): Promise<void> {
    await this.#take("viewer", viewerId, kind, this.#parts.rates.viewer[kind]);
  }

  /**
   * `address` is of `clientAddress`, so that one client has one.
   * @throws ParleyError RATE_LIMITED
   */
  async takeForAddress(address: string, kind: RateKind): Promise<void> {
    await this.#take("address", address, kind, this.#parts.rates.address[kind]);
  }

  /**
   * To be called with each sign-in that fails: who guesses is stopped.
   * @throws ParleyError RATE_LIMITED where too many failed: to be told instead of UNAUTHENTICATED
   */
  async countFailedSignIn(address: string): Promise<void> {
    const { failedSignIns } = this.#parts.rates.address;
    if (failedSignIns === null) return;
    const endsAtMs = await this.#permits.take({
      key: keyOf("address", address, "failedSignIns"),
      limit: failedSignIns,
      block: 1,
    });
    if (endsAtMs !== null) throw this.#barred(address, endsAtMs);
  }

  /**
   * To be called before a sign-in is looked at; asks nobody.
   * @throws ParleyError RATE_LIMITED where this server knows that too many from the address have failed
   */
  refuseGuessing(address: string): void {
    const endsAtMs = this.#permits.exhaustedUntil(keyOf("address", address, "failedSignIns"));
    if (endsAtMs !== null) throw this.#barred(address, endsAtMs);
  }

  /** Where the viewer stands with each kind; null for what is not limited. Counts nothing. */
  async stateOf(viewerId: string): Promise<Record<RateKind, RateState | null>> {
    const bounds = this.#parts.rates.viewer;
    const keys = rateKinds
      .filter((kind) => bounds[kind] !== null)
      .map((kind) => keyOf("viewer", viewerId, kind));
    const windows: ReadonlyMap<string, RateWindow> =
      keys.length === 0 ? new Map<string, RateWindow>() : await this.#parts.windows.read(keys);
    const state = (kind: RateKind): RateState | null => {
      const [key, limit] = [keyOf("viewer", viewerId, kind), bounds[kind]];
      if (limit === null) return null;
      const window = windows.get(key);
      if (window === undefined) return { limit, remaining: limit, resetsAt: null };
      const left = Math.max(0, limit - window.used) + this.#permits.inHand(key);
      return { limit, remaining: Math.min(limit, left), resetsAt: new Date(window.endsAtMs) };
    };
    return { turns: state("turns"), uploads: state("uploads"), reads: state("reads") };
  }

  async #take(whose: Whose, name: string, kind: RateKind, limit: number | null): Promise<void> {
    if (limit === null) return;
    const block = kind === "reads" ? Math.ceil(limit / readBlocks) : 1;
    const quota: Quota = { key: keyOf(whose, name, kind), limit, block };
    const endsAtMs = await this.#permits.take(quota);
    if (endsAtMs !== null) {
      const what = `At most ${limit} ${kind} of ${owners[whose]} are taken in a minute.`;
      throw this.#refusal(what, endsAtMs);
    }
  }

  #barred(address: string, endsAtMs: number): ParleyError {
    this.#warn({ address }, "an address is barred for a while: too many of its sign-ins have failed");
    return this.#refusal("Too many sign-ins from this address have failed.", endsAtMs);
  }

  #refusal(what: string, endsAtMs: number): ParleyError {
    const retryAfterMs = Math.max(1, endsAtMs - this.#now());
    const message = `${what} Come back in ${Math.ceil(retryAfterMs / 1000)} s.`;
    return new ParleyError("RATE_LIMITED", message, { retryable: true, retryAfterMs });
  }

  /** One line of a kind now and then: what is told may happen with each request. */
  #warn(facts: object, message: string): void {
    if (this.#now() - (this.#warnedAtMs.get(message) ?? -Infinity) < warnEveryMs) return;
    this.#warnedAtMs.set(message, this.#now());
    this.#parts.logger.warn(facts, message);
  }
}

export const rateKinds = ["turns", "uploads", "reads"] as const satisfies RateKind[];

type Whose = "viewer" | "address";
type Counted = RateKind | "failedSignIns";

const owners = { viewer: "a viewer", address: "an address" } as const;

/** All counters of a viewer. */
export function viewerRateKeys(viewerId: string): string[] {
  return rateKinds.map((kind) => keyOf("viewer", viewerId, kind));
}

function keyOf(whose: Whose, name: string, kind: Counted): string {
  return `${whose} ${name} ${kind}`;
}
