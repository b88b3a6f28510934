import { CallStopped } from "./interruptions.js";

export type StopReason = "cancelled" | "idle" | "total";

export interface CallLimits {
  /** The caller's: aborting it cancels the call. */
  signal: AbortSignal;
  idleTimeoutMs: number;
  totalTimeoutMs: number;
}

/** Beyond this setTimeout fires at once. */
const longestTimerMs = 2 ** 31 - 1;

/** The time limits of one call and its cancellation, as one signal that closes the connection. Ended with `end`. */
export class CallClock {
  readonly #controller = new AbortController();
  readonly #caller: AbortSignal;
  readonly #totalTimer: NodeJS.Timeout;
  readonly #endsAt: number;
  #idleTimeoutMs: number;
  #idleTimer: NodeJS.Timeout | undefined;
  #stopReason: StopReason | null = null;

  constructor(limits: CallLimits) {
    this.#caller = limits.signal;
    this.#idleTimeoutMs = limits.idleTimeoutMs;
    this.#endsAt = performance.now() + limits.totalTimeoutMs;
    this.#totalTimer = startTimer(() => this.#stop("total"), limits.totalTimeoutMs);
    if (this.#caller.aborted) this.#cancel();
    this.#caller.addEventListener("abort", this.#cancel, { once: true });
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** What stopped the call first; null while it runs. */
  get stopReason(): StopReason | null {
    return this.#stopReason;
  }

  get remainingMs(): number {
    return Math.max(0, this.#endsAt - performance.now());
  }

  /** From now on something has to be received within the idle limit, `allowanceMs` added to it. */
  expectBytes(allowanceMs = 0): void {
    clearTimeout(this.#idleTimer);
    this.#idleTimer = startTimer(() => this.#stop("idle"), this.#idleTimeoutMs + allowanceMs);
  }

  /** Nothing is waited for: the idle limit rests. */
  restIdle(): void {
    clearTimeout(this.#idleTimer);
  }

  /** The answer is whole, and only the end of the connection is waited for. */
  lowerIdleTimeout(idleTimeoutMs: number): void {
    this.#idleTimeoutMs = Math.min(this.#idleTimeoutMs, idleTimeoutMs);
  }

  throwIfStopped(): void {
    if (this.#stopReason !== null) throw new CallStopped("The call was stopped.");
  }

  /** Clears the timers and closes what is still open of the connection. */
  end(): void {
    clearTimeout(this.#idleTimer);
    clearTimeout(this.#totalTimer);
    this.#caller.removeEventListener("abort", this.#cancel);
    this.#controller.abort();
  }

  readonly #cancel = (): void => {
    this.#stop("cancelled");
  };

  #stop(reason: StopReason): void {
    this.#stopReason ??= reason;
    this.#controller.abort();
  }
}

function startTimer(stop: () => void, timeoutMs: number): NodeJS.Timeout {
  return setTimeout(stop, Math.min(timeoutMs, longestTimerMs));
}
