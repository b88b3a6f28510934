export interface FairQueueBounds {
  /** How many may run at once. */
  maxRunning: number;
  /** How many of one viewer may run at once. */
  maxRunningPerViewer: number;
}

/**
 * Who runs next: viewers take turns, what waits of one viewer is taken in the order in which it came. A viewer whose own
 * bound is reached is passed over and keeps its place. Pure bookkeeping: it starts and awaits nothing.
 */
export class FairQueue<Item> {
  readonly #bounds: FairQueueBounds;
  /** Who has been served longest ago comes first. */
  readonly #waiting = new Map<string, Item[]>();
  readonly #running = new Map<string, number>();
  #runningCount = 0;

  constructor(bounds: FairQueueBounds) {
    this.#bounds = bounds;
  }

  get runningCount(): number {
    return this.#runningCount;
  }

  add(viewerId: string, item: Item): void {
    const items = this.#waiting.get(viewerId) ?? [];
    items.push(item);
    this.#waiting.set(viewerId, items);
  }

  /** Takes an item out that waits no more; does nothing where it has been handed out. */
  remove(viewerId: string, item: Item): void {
    const items = this.#waiting.get(viewerId);
    const index = items?.indexOf(item) ?? -1;
    if (items === undefined || index === -1) return;
    items.splice(index, 1);
    if (items.length === 0) this.#waiting.delete(viewerId);
  }

  /** The item that runs next, counted as running until `end`; null where none waits that may run now. */
  next(): Item | null {
    if (this.#runningCount >= this.#bounds.maxRunning) return null;
    for (const [viewerId, items] of this.#waiting) {
      const running = this.#running.get(viewerId) ?? 0;
      if (running >= this.#bounds.maxRunningPerViewer) continue;
      const item = items.shift();
      // Behind all others, where more of it waits.
      this.#waiting.delete(viewerId);
      if (items.length > 0) this.#waiting.set(viewerId, items);
      if (item === undefined) continue;
      this.#running.set(viewerId, running + 1);
      this.#runningCount += 1;
      return item;
    }
    return null;
  }

  /** One that ran for the viewer has ended. */
  end(viewerId: string): void {
    const running = this.#running.get(viewerId) ?? 0;
    if (running === 0) return;
    this.#runningCount -= 1;
    if (running === 1) this.#running.delete(viewerId);
    else this.#running.set(viewerId, running - 1);
  }
}
