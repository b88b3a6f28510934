import type { FastifyInstance } from "fastify";
import { ParleyError } from "../errors.js";

declare module "fastify" {
  interface FastifyContextConfig {
    /** The route answers whatever host the request names: load balancers ask by address. */
    anyHost?: boolean;
  }
}

/**
 * Refuses requests whose Host is not this server's: a page of a foreign site whose name was made to point at a
 * loopback address (DNS rebinding) would otherwise be of the server's own origin.
 */
export function registerHostCheck(app: FastifyInstance, publicUrl: URL | null): void {
  app.addHook("onRequest", (request, _reply, done) => {
    if (request.routeOptions.config.anyHost === true) return done();
    done(refuseForeignHost(request.headers.host, publicUrl) ?? undefined);
  });
}

/** The error for a request whose Host is not this server's; null for one whose Host is. */
export function refuseForeignHost(host: string | undefined, publicUrl: URL | null): ParleyError | null {
  return isOwnHost(host, publicUrl) ? null : foreignHost(host);
}

/** Whether the Host header names a loopback host, with any port, or PUBLIC_URL's host. */
export function isOwnHost(host: string | undefined, publicUrl: URL | null): boolean {
  if (host === undefined) return false;
  const url = URL.canParse(`http://${host}`) ? new URL(`http://${host}`) : null;
  if (url === null || url.pathname !== "/" || url.username !== "" || url.search !== "" || url.hash !== "")
    return false;
  if (publicUrl !== null && isSameHost(host, publicUrl)) return true;
  return url.hostname === "localhost" || url.hostname === "[::1]" || /^127(\.\d{1,3}){3}$/.test(url.hostname);
}

/** A default port may be written or not. */
function isSameHost(host: string, publicUrl: URL): boolean {
  const url = `${publicUrl.protocol}//${host}`;
  return URL.canParse(url) && new URL(url).host === publicUrl.host;
}

function foreignHost(host: string | undefined): ParleyError {
  const name = (host ?? "").replace(/[^\w.:[\]-]/g, "").slice(0, 100);
  return new ParleyError(
    "FORBIDDEN",
    `This server does not answer for the host "${name}". Set PUBLIC_URL to its public address.`,
  );
}
