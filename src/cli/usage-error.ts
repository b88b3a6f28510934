/** A mistake in the command line, told without a stack. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}
