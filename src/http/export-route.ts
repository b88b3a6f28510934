import type { FastifyInstance, FastifyRequest } from "fastify";
import type { Readable } from "node:stream";
import { requireScope } from "../auth/viewer.js";
import type { Viewer } from "../auth/viewer.js";
import type { ClipDoors } from "./clip-access.js";
import { signIn } from "./sign-in.js";
import { cutWhereStalled } from "./stalled.js";

export interface ExportRouteSources extends ClipDoors {
  /** Destroyed where the client goes. */
  open: (viewer: Viewer) => Readable;
  /** How long a client may take no byte of what is there for it, in milliseconds. */
  stallMs: number;
}

const headers = {
  "content-type": "application/zip",
  "content-disposition": 'attachment; filename="parley-export.zip"',
  "x-content-type-options": "nosniff",
  "cross-origin-resource-policy": "same-origin",
  "cache-control": "no-store",
};

/** `GET /export`: one ZIP with everything of the person who asks. */
export function registerExport(app: FastifyInstance, sources: ExportRouteSources): void {
  app.get("/export", { exposeHeadRoute: false }, async (request, reply) => {
    const viewer = await viewerOf(request, sources);
    const bytes = sources.open(viewer);
    // Also where the client went while it was looked who it is.
    if (reply.raw.destroyed) bytes.destroy();
    reply.raw.once("close", () => bytes.destroy());
    cutWhereStalled(reply, sources.stallMs);
    return reply.headers(headers).send(bytes);
  });
}

/** @throws ParleyError UNAUTHENTICATED, FORBIDDEN, RATE_LIMITED */
async function viewerOf(
  request: FastifyRequest,
  { authenticatorFor, admitAddressRead, admitViewerRead }: ClipDoors,
): Promise<Viewer> {
  await admitAddressRead(request);
  const { viewer } = await signIn(request, authenticatorFor(request));
  requireScope(viewer, "conversations:read");
  await admitViewerRead(viewer.id);
  return viewer;
}
