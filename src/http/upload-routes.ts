import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { SignedUrls, UrlQuery } from "../services/signing/signed-urls.js";
import type { IncomingBytes, ReceivedUpload } from "../services/uploads/upload-intake.js";
import { RequestError } from "./request-error.js";
import { withoutReadingOn } from "./unread-body.js";

export interface UploadRouteSources {
  signedUrls: Pick<SignedUrls, "verify">;
  /** Rejects where too many files come. */
  admit: (request: FastifyRequest) => Promise<void>;
  receive: (viewerId: string, uploadId: string, incoming: IncomingBytes) => Promise<ReceivedUpload>;
  /** How long a client may send no byte, in milliseconds. */
  stallMs: number;
}

interface UploadRoute {
  Params: { id: string };
  Querystring: UrlQuery;
}

export const uploadsPath = "/uploads/";

/** PUT of `/uploads/UPLOAD`: the body is the file, whatever its Content-Type says. The signature in the URL is all it takes. */
export function registerUploadRoutes(app: FastifyInstance, sources: UploadRouteSources): void {
  void app.register((scope, _options, done) => {
    scope.addHook("onSend", withoutReadingOn);
    scope.route<UploadRoute>({
      method: "PUT",
      url: `${uploadsPath}:id`,
      // Before Fastify looks for somebody who reads bodies of this type.
      onRequest: (request, reply) => receiveUpload(request, reply, sources),
      handler: () => undefined,
    });
    scope.route({
      method: ["GET", "HEAD", "POST", "PATCH", "DELETE"],
      url: `${uploadsPath}:id`,
      onRequest: (_request, reply, next) => {
        void reply.header("allow", "PUT");
        next(new RequestError(405, "An upload can only be sent: PUT."));
      },
      handler: () => undefined,
    });
    done();
  });
}

async function receiveUpload(
  request: FastifyRequest<UploadRoute>,
  reply: FastifyReply,
  { signedUrls, admit, receive, stallMs }: UploadRouteSources,
): Promise<FastifyReply> {
  await admit(request);
  const { viewerId } = await signedUrls.verify("upload", request.params.id, request.query);
  const length = request.headers["content-length"];
  const incoming = { stream: request.raw, byteLength: length === undefined ? null : Number(length) };
  request.raw.setTimeout(stallMs, () => request.raw.destroy(new Error("the client sends nothing more")));
  try {
    return await reply.send(await receive(viewerId, request.params.id, incoming));
  } finally {
    request.raw.setTimeout(0);
  }
}
