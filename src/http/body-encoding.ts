import type { FastifyInstance } from "fastify";
import { RequestError } from "./request-error.js";

/** Names of the one encoding that JSON is sent in between systems (RFC 8259, section 8.1), or of a part of it. */
const jsonCharsets = new Set(["utf-8", "utf8", "us-ascii"]);

/** Bodies are taken as they are: one that is compressed, or JSON in another encoding, would be read as something else. */
export function refuseEncodedBodies(app: FastifyInstance): void {
  app.addHook("onRequest", (request, reply, done) => {
    const { "content-encoding": coding = "", "content-type": type = "" } = request.headers;
    if (!/^(identity)?$/i.test(coding.trim())) {
      // RFC 9110, section 15.5.16.
      void reply.header("accept-encoding", "identity");
      return done(new RequestError(415, "Send the body as it is, without a Content-Encoding."));
    }
    const [, charset] = /^application\/json\b.*;\s*charset\s*=\s*"?([^\s";]+)/i.exec(type) ?? [];
    if (charset !== undefined && !jsonCharsets.has(charset.toLowerCase()))
      return done(new RequestError(415, "Send JSON in UTF-8."));
    done();
  });
}
