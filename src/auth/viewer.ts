/** What somebody may do; docs/concepts.md says which roles and keys carry which. */
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

/** The one place that tells who sends a request. */
export function authenticate(): Viewer {
  return localViewer;
}
