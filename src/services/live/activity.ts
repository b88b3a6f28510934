import { setImmediate as nextTurn, setTimeout as delay } from "node:timers/promises";

/** How many listeners are being told something right now, so that a server that stops knows when all have heard. */
export class Activity {
  readonly #busy = new Set<Listener>();
  #settle: (() => void) | null = null;

  /** A listener came. It is busy until it rests or leaves. */
  enter(): Listener {
    const listener = new Listener((busy) => this.#note(listener, busy));
    this.#busy.add(listener);
    return listener;
  }

  /** News are being read, of which somebody is told then. */
  async during(reading: Promise<void>): Promise<void> {
    const listener = this.enter();
    try {
      await reading;
    } finally {
      listener.leave();
    }
  }

  /** Resolves once nobody is being told anything, or after `timeoutMs`: who reads slowly holds up nothing. */
  async settled(timeoutMs: number): Promise<void> {
    const timer = new AbortController();
    const late = delay(timeoutMs, true, { signal: timer.signal }).catch(() => true);
    let isLate = false;
    while (!isLate && !(await this.#isQuiet()))
      isLate = await Promise.race([
        new Promise<false>((resolve) => (this.#settle = () => resolve(false))),
        late,
      ]);
    timer.abort();
  }

  /** Whoever was woken by the last news has begun to be busy a moment later. */
  async #isQuiet(): Promise<boolean> {
    if (this.#busy.size === 0) await nextTurn();
    return this.#busy.size === 0;
  }

  #note(listener: Listener, busy: boolean): void {
    if (busy) this.#busy.add(listener);
    else this.#busy.delete(listener);
    if (this.#busy.size === 0) this.#settle?.();
  }
}

export class Listener {
  readonly #note: (busy: boolean) => void;
  #left = false;

  constructor(note: (busy: boolean) => void) {
    this.#note = note;
  }

  /** It has heard all there is, until `news` resolves. */
  async rest(news: Promise<void>): Promise<void> {
    this.#note(false);
    await news;
    if (!this.#left) this.#note(true);
  }

  leave(): void {
    this.#left = true;
    this.#note(false);
  }
}
