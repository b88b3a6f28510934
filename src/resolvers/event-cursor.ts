/** An opaque text that is the same for the same state, and another for another. */
export function opaqueCursor(state: readonly (string | number)[]): string {
  return Buffer.from(JSON.stringify(state)).toString("base64url");
}
