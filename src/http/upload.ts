import type { Readable } from "node:stream";
import { ParleyError } from "../errors.js";
import type { IncomingFile } from "../services/audio/incoming-audio.js";

/** Tells when somebody begins to wait for it: nothing else can tell a file that is used from one that is not. */
class ObservedPromise<T> extends Promise<T> {
  #onAwaited: (() => void) | null = null;

  // What `then` makes is an ordinary promise.
  static override get [Symbol.species](): PromiseConstructor {
    return Promise;
  }

  /** What waits already is not told. */
  observe(onAwaited: () => void): void {
    this.#onAwaited = onAwaited;
  }

  override then<A = T, B = never>(
    onFulfilled?: ((value: T) => A | PromiseLike<A>) | null,
    onRejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    this.#onAwaited?.();
    return super.then(onFulfilled, onRejected);
  }
}

/** The place in the variables that a file part will fill. */
export class Upload {
  /** Rejects where the file does not come, or comes too early to be waited for. */
  readonly file: Promise<IncomingFile>;
  #wanted = false;
  #resolve: (file: IncomingFile) => void = () => undefined;
  #reject: (reason: ParleyError) => void = () => undefined;

  /** `onWanted` is called once, when somebody first waits for the file. */
  constructor(onWanted: () => void) {
    const file = new ObservedPromise<IncomingFile>((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    // An operation may never look at its variable: then nobody hears that the file did not come.
    file.catch(() => undefined);
    file.observe(() => {
      if (this.#wanted) return;
      this.#wanted = true;
      onWanted();
    });
    this.file = file;
  }

  get wanted(): boolean {
    return this.#wanted;
  }

  resolve(stream: Readable): void {
    this.#resolve(new SingleUseFile(stream));
  }

  /** Does nothing to an upload whose file has been handed over. */
  reject(reason: ParleyError): void {
    this.#reject(reason);
  }
}

/** Two readers of one stream would each get half of it. */
class SingleUseFile implements IncomingFile {
  #stream: Readable | null;

  constructor(stream: Readable) {
    this.#stream = stream;
  }

  /** @throws ParleyError BAD_USER_INPUT the second time */
  get stream(): Readable {
    const stream = this.#stream;
    if (stream === null) {
      throw new ParleyError(
        "BAD_USER_INPUT",
        "A file part can be used once; send it as a second part to use it twice.",
      );
    }
    this.#stream = null;
    return stream;
  }
}
