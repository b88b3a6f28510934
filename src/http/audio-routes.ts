import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Readable } from "node:stream";
import { ParleyError } from "../errors.js";
import { isId } from "../ids.js";
import type { Logger } from "../logger.js";
import { extensionOf, mimeTypeOf, toAudioFormat } from "../services/audio/clip-format.js";
import { clipFileName } from "../services/audio/clip-url.js";
import type { UrlQuery } from "../services/signing/signed-urls.js";
import type { AudioStore } from "../storage/audio-store.js";
import { downloadDisposition } from "./download.js";
import { selectBytes } from "./range.js";
import type { Selection } from "./range.js";
import { RequestError } from "./request-error.js";
import { cutWhereStalled } from "./stalled.js";

/** What is needed of a clip's row to serve its bytes. */
export interface ServedClip {
  id: string;
  storageKey: string;
  format: string;
  byteLength: number;
  /** Lower-case hex; null while the clip grows. */
  sha256: string | null;
  createdAt: Date;
  /** When the URL that was asked for is good no more; null for one that does not end. */
  urlEndsAt: Date | null;
  /** Whether the Authorization header let the sender in: another one may not hear it, nor the same one later. */
  byHeader: boolean;
}

export interface AudioRouteSources {
  /** The clip, where the sender of the request may hear it; null otherwise. Rejects where the URL itself is no good. */
  findClip: (request: FastifyRequest<AudioRoute>, clipId: string) => Promise<ServedClip | null>;
  /** The bytes of a clip that grows, as they come; null where it grows no more. */
  openGrowing: (clipId: string) => Promise<Readable | null>;
  store: AudioStore;
  /** How long a client may take no byte of what is there for it, in milliseconds. */
  stallMs: number;
  logger: Logger;
}

export interface AudioRoute {
  Params: { "*": string };
  Querystring: UrlQuery;
}

const audioHeaders = {
  // Bytes that came from strangers must not become a page of this origin.
  "x-content-type-options": "nosniff",
  "content-security-policy": "default-src 'none'; sandbox",
  // A plain <audio src> of another site sends no Origin, so this can't name the listed origins only. It lets such a
  // page play a clip whose unguessable address it was given; to read the bytes it must pass CORS.
  "cross-origin-resource-policy": "cross-origin",
} as const;

const keptHeaders = { ...audioHeaders, "accept-ranges": "bytes" } as const;

const growingHeaders = { ...audioHeaders, "accept-ranges": "none", "cache-control": "no-store" } as const;

/** GET and HEAD of `/audio/CLIP` and `/audio/CLIP.EXTENSION`. */
export function registerAudioRoutes(app: FastifyInstance, sources: AudioRouteSources): void {
  app.route<AudioRoute>({
    method: ["GET", "HEAD"],
    url: "/audio/*",
    handler: (request, reply) => serveClip(request, reply, sources),
  });
  app.route({
    method: ["POST", "PUT", "PATCH", "DELETE"],
    url: "/audio/*",
    onRequest: (_request, reply, done) => {
      // The body is not read.
      void reply.headers({ allow: "GET, HEAD", connection: "close" });
      done(new RequestError(405, "Audio can only be read: GET or HEAD."));
    },
    handler: () => undefined,
  });
}

async function serveClip(
  request: FastifyRequest<AudioRoute>,
  reply: FastifyReply,
  sources: AudioRouteSources,
): Promise<FastifyReply> {
  const clip = await requireClip(request, sources);
  if (clip.sha256 === null) return serveGrowing(request, reply, clip, sources);
  await requireBytes(request, clip, sources);
  const lastModified = clip.createdAt;
  const etag = `"${clip.sha256}"`;
  // RFC 9110 defines ranges for GET alone.
  const headers = request.method === "GET" ? request.headers : { ...request.headers, range: undefined };
  const selection = selectBytes(headers, { byteLength: clip.byteLength, etag, lastModified });
  if (selection.status === 416) return refuseRange(reply, clip.byteLength);
  const sent = selection.status === 304 || request.method === "HEAD" ? null : selection;
  const bytes = sent === null ? undefined : await openBytes(request, clip, sent, sources);
  void reply.headers({
    ...keptHeaders,
    ...cacheHeaders(reply, clip),
    etag,
    "last-modified": lastModified.toUTCString(),
  });
  if (selection.status !== 304) void reply.headers(bodyHeaders(request, clip, selection));
  cutWhereStalled(reply, sources.stallMs);
  return reply.code(selection.status).send(bytes);
}

/** From its first byte to the end of the answer, in pieces: its length is not known. Ranges come with its end. */
async function serveGrowing(
  request: FastifyRequest<AudioRoute>,
  reply: FastifyReply,
  clip: ServedClip,
  sources: AudioRouteSources,
): Promise<FastifyReply> {
  const bytes = request.method === "HEAD" ? undefined : await sources.openGrowing(clip.id);
  // It has ended since its row was read.
  if (bytes === null) return serveClip(request, reply, sources);
  bytes?.once("error", () => undefined);
  void reply.headers({ ...growingHeaders, ...typeHeaders(request, clip) });
  cutWhereStalled(reply, sources.stallMs);
  return reply.code(200).send(bytes);
}

/** @throws ParleyError NOT_FOUND */
async function requireClip(
  request: FastifyRequest<AudioRoute>,
  { findClip }: AudioRouteSources,
): Promise<ServedClip> {
  const [clipId = "", ...extension] = request.params["*"].split(".");
  const clip = isId("clip", clipId) ? await findClip(request, clipId) : null;
  if (clip === null) throw noSuchClip();
  if (extension.length > 0 && extension.join(".") !== extensionOf(toAudioFormat(clip.format)))
    throw noSuchClip();
  return clip;
}

/** @throws ParleyError NOT_FOUND */
async function requireBytes(
  request: FastifyRequest<AudioRoute>,
  { id: clipId, storageKey, byteLength }: ServedClip,
  { store, logger }: AudioRouteSources,
): Promise<void> {
  const storedBytes = await store.size(storageKey);
  if (storedBytes === byteLength) return;
  logger.error(
    { clipId, storedBytes, requestId: request.id },
    "the bytes of a clip are not in the audio store",
  );
  throw noSuchClip();
}

type BodySelection = Extract<Selection, { status: 200 | 206 }>;

/** @throws ParleyError NOT_FOUND where the clip was deleted meanwhile */
async function openBytes(
  request: FastifyRequest,
  clip: ServedClip,
  selection: BodySelection,
  { store, logger }: AudioRouteSources,
): Promise<Readable> {
  const bytes = await store.read(clip.storageKey, selection.status === 206 ? selection.span : undefined);
  if (bytes !== null) return bytes;
  logger.error({ clipId: clip.id, requestId: request.id }, "the bytes of a clip are not in the audio store");
  throw noSuchClip();
}

function bodyHeaders(
  request: FastifyRequest<AudioRoute>,
  clip: ServedClip,
  selection: BodySelection,
): Record<string, string | number> {
  const { start, end } = selection.status === 206 ? selection.span : { start: 0, end: clip.byteLength - 1 };
  return {
    ...typeHeaders(request, clip),
    "content-length": end - start + 1,
    ...(selection.status === 206 ? { "content-range": `bytes ${start}-${end}/${clip.byteLength}` } : {}),
  };
}

/** A clip never changes and belongs to its owner. Under a URL that ends nothing is kept for longer. */
function cacheHeaders(reply: FastifyReply, { urlEndsAt, byHeader }: ServedClip): Record<string, string> {
  if (byHeader) {
    const vary = [reply.getHeader("vary") ?? [], "Authorization"].flat().join(", ");
    return { "cache-control": "private, no-cache", vary };
  }
  const maxAge = urlEndsAt === null ? 31_536_000 : Math.floor((urlEndsAt.getTime() - Date.now()) / 1000);
  return { "cache-control": `private, max-age=${Math.max(maxAge, 0)}, immutable` };
}

function typeHeaders(request: FastifyRequest<AudioRoute>, clip: ServedClip): Record<string, string> {
  const disposition = downloadDisposition(request.query["download"], clipFileName(clip));
  return {
    "content-type": mimeTypeOf(toAudioFormat(clip.format)),
    ...(disposition === null ? {} : { "content-disposition": disposition }),
  };
}

function refuseRange(reply: FastifyReply, byteLength: number): FastifyReply {
  void reply.headers({
    "content-range": `bytes */${byteLength}`,
    "accept-ranges": "bytes",
    "cache-control": "no-store",
  });
  return reply.code(416).send();
}

function noSuchClip(): ParleyError {
  return new ParleyError("NOT_FOUND", "There is no such audio.");
}
