import type { FastifyInstance } from "fastify";
import { RequestError } from "./request-error.js";

/** Bodies are taken as they are: one that is compressed would be read as something else. */
export function refuseEncodedBodies(app: FastifyInstance): void {
  app.addHook("onRequest", ({ headers }, reply, done) => {
    if (/^(identity)?$/i.test(headers["content-encoding"]?.trim() ?? "")) return done();
    // RFC 9110, section 15.5.16.
    void reply.header("accept-encoding", "identity");
    done(new RequestError(415, "Send the body as it is, without a Content-Encoding."));
  });
}

/** Names of the one encoding that JSON is sent in between systems (RFC 8259, section 8.1), or of a part of it. */
const jsonCharsets = new Set(["utf-8", "utf8", "us-ascii"]);

/** For routes that read JSON: in another encoding it would be told to be no JSON. */
export function refuseOtherCharsets(scope: FastifyInstance): void {
  scope.addHook("onRequest", ({ method, headers }, _reply, done) => {
    const type = method === "POST" ? (headers["content-type"] ?? "") : "";
    const [, charset] = /^application\/json\b.*;\s*charset\s*=\s*["']?([^\s"';]+)/i.exec(type) ?? [];
    const isRead = charset === undefined || jsonCharsets.has(charset.toLowerCase());
    done(isRead ? undefined : new RequestError(415, "Send JSON in UTF-8."));
  });
}
