/** A mistake in the command line, told without a stack; what can be written there is told with it. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** What is asked for can't be done as things are. The message says what to do instead, and is all that is told. */
export class RefusedError extends Error {
  override readonly name = "RefusedError";
}
