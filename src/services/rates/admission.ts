import type { Viewer } from "../../auth/viewer.js";
import type { RateKind, RateLimits } from "./rate-limits.js";

/** Where an operation came from, and what of it its way in has counted for the address already. */
export interface CameFrom {
  /** Of `clientAddress`. */
  address: string;
  counted: readonly RateKind[];
  /** The same for its viewer. */
  countedForViewer: readonly RateKind[];
}

/** Counts what one operation asks for, for its viewer and for the address that it came from. */
export class Admission {
  readonly #rates: RateLimits;
  readonly #viewer: Viewer;
  readonly #from: CameFrom;
  #read: Promise<void> | null = null;

  constructor(rates: RateLimits, viewer: Viewer, from: CameFrom) {
    this.#rates = rates;
    this.#viewer = viewer;
    this.#from = from;
  }

  /**
   * An operation is one read, whatever it reads; each turn and each upload of it counts.
   * @throws ParleyError RATE_LIMITED
   */
  admit(kind: RateKind): Promise<void> {
    return kind === "reads" ? (this.#read ??= this.#take(kind)) : this.#take(kind);
  }

  async #take(kind: RateKind): Promise<void> {
    const { address, counted, countedForViewer } = this.#from;
    // An address that sends too much must not use up what is its viewer's.
    if (!counted.includes(kind)) await this.#rates.takeForAddress(address, kind);
    if (!countedForViewer.includes(kind)) await this.#rates.takeForViewer(this.#viewer.id, kind);
  }
}
