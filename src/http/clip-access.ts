import type { FastifyRequest } from "fastify";
import type { AppContext } from "../app-context.js";
import type { Authenticator } from "../auth/sign-in.js";
import { requireScope } from "../auth/viewer.js";
import type { AudioRoute, AudioRouteSources } from "./audio-routes.js";
import { signIn } from "./sign-in.js";

type Access = { viewerId: string; urlEndsAt: Date | null; byHeader: boolean };

export interface ClipDoors {
  authenticatorFor: (request: FastifyRequest) => Authenticator;
  /** Both reject where too much is asked for: before it is looked at who asks, and once that is known. */
  admitAddressRead: (request: FastifyRequest) => Promise<void>;
  admitViewerRead: (viewerId: string) => Promise<void>;
}

/** Reads a clip as the viewer whom the request is from. @throws ParleyError FORBIDDEN, UNAUTHENTICATED, RATE_LIMITED */
export function clipAccess(context: AppContext, doors: ClipDoors): AudioRouteSources["findClip"] {
  return async (request, clipId) => {
    await doors.admitAddressRead(request);
    const { viewerId, ...access } = await accessOf(context, doors, request, clipId);
    await doors.admitViewerRead(viewerId);
    const clip = await context.findClip(viewerId, clipId);
    return clip === null ? null : { ...clip, ...access };
  };
}

/** A signed URL says who may hear the clip: players send no header. A plain one is for those who sign in. */
async function accessOf(
  { signedAudio, signedUrls }: AppContext,
  { authenticatorFor }: ClipDoors,
  request: FastifyRequest<AudioRoute>,
  clipId: string,
): Promise<Access> {
  if (signedAudio && isSigned(request.query)) {
    const { viewerId, expires } = await signedUrls.verify("audio", clipId, request.query);
    return { viewerId, urlEndsAt: new Date(expires * 1000), byHeader: false };
  }
  const authenticator = authenticatorFor(request);
  const { viewer } = await signIn(request, authenticator);
  requireScope(viewer, "conversations:read");
  return { viewerId: viewer.id, urlEndsAt: null, byHeader: authenticator.required };
}

/** A signed URL of which only a part is left is none that is plain. */
function isSigned(query: AudioRoute["Querystring"]): boolean {
  return ["expires", "viewer", "key", "signature"].some((name) => query[name] !== undefined);
}
