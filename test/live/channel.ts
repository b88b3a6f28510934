/** Something that a test waits for. */
export class Signal<Value = undefined> {
  readonly come: Promise<Value>;
  readonly tell: (value: Value) => void;

  constructor() {
    const { promise, resolve } = withResolvers<Value>();
    this.come = promise;
    this.tell = resolve;
  }
}

/** `Promise.withResolvers`, which Node 20 lacks. */
function withResolvers<Value>(): { promise: Promise<Value>; resolve: (value: Value) => void } {
  let resolve: (value: Value) => void = () => undefined;
  const promise = new Promise<Value>((settle) => (resolve = settle));
  return { promise, resolve };
}

type Outcome<Event> = { event: Event } | { failure: Error } | "end";

/** Events that a test sends one by one; tells how often it was asked for one, and that its reader has left. */
export class Channel<Event> implements AsyncIterableIterator<Event> {
  readonly returned = new Signal();
  pulls = 0;
  readonly #outcomes: Outcome<Event>[] = [];
  #waiting: (() => void) | null = null;
  #onPull: () => void = () => undefined;

  send(...events: Event[]): void {
    this.#add(...events.map((event) => ({ event })));
  }

  fail(failure: Error): void {
    this.#add({ failure });
  }

  end(): void {
    this.#add("end");
  }

  /** Resolves when so many events were asked for. */
  async pulled(count: number): Promise<void> {
    while (this.pulls < count) await new Promise<void>((resolve) => (this.#onPull = resolve));
  }

  async next(): Promise<IteratorResult<Event>> {
    this.pulls += 1;
    this.#onPull();
    while (this.#outcomes.length === 0) await new Promise<void>((resolve) => (this.#waiting = resolve));
    const outcome = this.#outcomes.shift() ?? "end";
    if (outcome === "end") return { done: true, value: undefined };
    if ("failure" in outcome) throw outcome.failure;
    return { done: false, value: outcome.event };
  }

  return(): Promise<IteratorResult<Event>> {
    this.returned.tell(undefined);
    this.#add("end");
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #add(...outcomes: Outcome<Event>[]): void {
    this.#outcomes.push(...outcomes);
    this.#waiting?.();
  }
}
