/**
 * The `code` by which Node, a driver or a library names an error (`ENOENT`, `SQLITE_BUSY`, `P2002`); null where there is
 * none. Never by its class: a native module may know another copy of that than its caller.
 */
export function codeOfError(error: unknown): string | null {
  if (typeof error !== "object" || error === null || !("code" in error)) return null;
  return typeof error.code === "string" ? error.code : null;
}
