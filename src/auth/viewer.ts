import { createHash } from "node:crypto";
import { ParleyError } from "../errors.js";

/** What somebody may do; docs/authentication.md says which roles and keys carry which. */
export const scopes = ["conversations:read", "conversations:write", "usage:read"] as const;
export type Scope = (typeof scopes)[number];

/** Who is asking. Every row belongs to one. */
export interface Viewer {
  /** The owner of rows: opaque, stable, and never the same for people of two tenants. */
  readonly id: string;
  /** The organisation above the owner. */
  readonly tenantId: string;
  readonly scopes: ReadonlySet<Scope>;
}

/** While nobody has to sign in, everyone on this machine is the same person, who may do all. */
export const localViewer: Viewer = Object.freeze({
  id: "viewer_local",
  tenantId: "local",
  scopes: new Set(scopes),
});

/**
 * The id of the person whom a tenant knows by this name, whichever way they sign in. It can be found from the name but
 * not the name from it, so that rows and logs name nobody.
 */
export function viewerId(tenantId: string, subject: string): string {
  const hash = createHash("sha256")
    .update(JSON.stringify([tenantId, subject]))
    .digest("base64url");
  return `viewer_${hash.slice(0, 26)}`;
}

export function isScope(text: string): text is Scope {
  return scopes.some((scope) => scope === text);
}

/** @throws ParleyError FORBIDDEN */
export function requireScope(viewer: Viewer, scope: Scope): void {
  if (viewer.scopes.has(scope)) return;
  throw new ParleyError("FORBIDDEN", `Your role or key does not allow this: it needs ${scope}.`);
}
