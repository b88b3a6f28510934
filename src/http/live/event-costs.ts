import type { Viewer } from "../../auth/viewer.js";
import { tooManyAtOnce } from "../../errors.js";
import type { ParleyError } from "../../errors.js";
import type { ToldCost } from "../limits/query-cost.js";

/**
 * What one event may cost: each subscription of a viewer that hears it reads what it selects, so that all those that are
 * open are bounded together, as one query is.
 */
export class EventCosts {
  readonly #max: number | null;
  readonly #open = new Map<string, number>();

  /** Null where nothing is bounded. */
  constructor(max: number | null) {
    this.#max = max;
  }

  /**
   * Counts a subscription for its viewer; the answer, called once or more, ends that.
   * @throws ParleyError RATE_LIMITED
   */
  take({ id }: Viewer, { requested }: Pick<ToldCost, "requested">): () => void {
    const cost = this.#of(id) + requested;
    if (this.#max !== null && cost > this.#max) throw tooDear(this.#max);
    this.#open.set(id, cost);
    let released = false;
    return () => {
      if (released) return;
      released = true;
      const left = this.#of(id) - requested;
      if (left > 0) this.#open.set(id, left);
      else this.#open.delete(id);
    };
  }

  #of(viewerId: string): number {
    return this.#open.get(viewerId) ?? 0;
  }
}

function tooDear(max: number): ParleyError {
  const message = `The open subscriptions of a viewer may cost ${max} together. Ask for fewer fields, or end some first.`;
  return tooManyAtOnce(message);
}
