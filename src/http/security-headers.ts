import type { FastifyInstance, FastifyReply } from "fastify";

/** For everything: what it is, nobody guesses; where somebody comes from, no other site hears, its signature included. */
const everywhere = {
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  // Concerns only what a page embeds; a listed origin that calls the API passes CORS. Audio has its own.
  "cross-origin-resource-policy": "same-origin",
} as const;

/** Of what is no page: should a browser show it as one, nothing in it runs or loads. */
const noPage = {
  ...everywhere,
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  "cache-control": "no-store",
} as const;

/** Sandbox loads from Apollo's servers, writes its own scripts, signs people in by a window, and may know our origin. */
const sandboxPage = {
  ...everywhere,
  "content-security-policy": "object-src 'none'; base-uri 'none'; frame-ancestors 'none'",
  "cross-origin-opener-policy": "same-origin-allow-popups",
  "referrer-policy": "strict-origin",
  "cache-control": "no-store",
} as const;

/** A page of this server has these and a content security policy of its own. */
export const pageHeaders = everywhere;

const yearInS = 31_536_000;

/** The headers of an answer that is no page, for what does not pass a hook. */
export function plainHeaders(publicUrl: URL | null): Record<string, string> {
  return { ...noPage, ...transportHeaders(publicUrl) };
}

/** Gives every answer the security headers that its route has not set itself. */
export function registerSecurityHeaders(app: FastifyInstance, publicUrl: URL | null): void {
  const transport = transportHeaders(publicUrl);
  app.addHook("onSend", (_request, reply, _payload, done) => {
    const headers = { ...(isHtml(reply) ? sandboxPage : noPage), ...transport };
    for (const [name, value] of Object.entries(headers))
      if (!reply.hasHeader(name)) void reply.header(name, value);
    done();
  });
}

/** The pages of this server have set theirs by then. */
function isHtml(reply: FastifyReply): boolean {
  return String(reply.getHeader("content-type")).startsWith("text/html");
}

/** Browsers heed it over https alone, so it is told only where people come by https. */
function transportHeaders(publicUrl: URL | null): Record<string, string> {
  return publicUrl?.protocol === "https:" ? { "strict-transport-security": `max-age=${yearInS}` } : {};
}
