/** The call was stopped from here: cancelled, or by one of its time limits. The clock knows which. */
export class CallStopped extends Error {
  override readonly name = "CallStopped";
}

/** What the caller handed in (the sink, a source of audio, `onBegin`) threw `cause`. */
export class CallerFailure extends Error {
  override readonly name = "CallerFailure";
}

/** The connection failed before the response's headers came. `code` is Node's or undici's, null where there was none. */
export class TransportError extends Error {
  override readonly name = "TransportError";
  readonly code: string | null;

  constructor(code: string | null) {
    super("No response came.");
    this.code = code;
  }
}

/** The connection ended within the answer. */
export class ConnectionCut extends Error {
  override readonly name = "ConnectionCut";
}

/** The answer can't be read: no JSON, no base64, or beyond a limit. The message is for a person. */
export class UnreadableAnswer extends Error {
  override readonly name = "UnreadableAnswer";
}

/** The provider sent `detail`, an error object, in the middle of the stream. */
export class StreamedError extends Error {
  override readonly name = "StreamedError";
  readonly detail: unknown;

  constructor(detail: unknown) {
    super("The provider sent an error within the stream.");
    this.detail = detail;
  }
}

export type AnswerInterruption = CallStopped | ConnectionCut | UnreadableAnswer | StreamedError;

export function isAnswerInterruption(error: unknown): error is AnswerInterruption {
  return [CallStopped, ConnectionCut, UnreadableAnswer, StreamedError].some((kind) => error instanceof kind);
}

/** No token could be had. `cause` is the credential's own error; null where it took too long. */
export class SignInError extends Error {
  override readonly name = "SignInError";
}

/** Runs something of the caller's, and marks what it throws as the caller's. */
export async function ofCaller<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw new CallerFailure("The caller's part of the call failed.", { cause });
  }
}

/** Settles like `work`, or rejects with CallStopped as soon as the signal is aborted; `work` then goes on unheard. */
export function untilStopped<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      reject(new CallStopped("The call was stopped."));
    };
    if (signal.aborted) stop();
    signal.addEventListener("abort", stop, { once: true });
    void work.then(resolve, reject).finally(() => {
      signal.removeEventListener("abort", stop);
    });
  });
}

/** The error and its causes, outermost first; at most six, since a chain may be a ring. */
export function causeChain(error: unknown): unknown[] {
  const chain: unknown[] = [];
  let link = error;
  while (link != null && chain.length < 6) {
    chain.push(link);
    link = typeof link === "object" && "cause" in link ? link.cause : null;
  }
  return chain;
}
