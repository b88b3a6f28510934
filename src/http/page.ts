import type { FastifyInstance } from "fastify";

import { registerBundledPage } from "./bundled-page.js";

const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  // Files that are about to be sent, and samples that were made a file, are played from memory.
  "media-src 'self' blob:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
].join("; ");

export interface PageOptions {
  /** The folder that the build writes the page to (`dist/page/`); ends with a slash. */
  pageDir: URL;
}

/** Serves the page for people at `/`. */
export function registerPage(app: FastifyInstance, { pageDir }: PageOptions): Promise<void> {
  return registerBundledPage(app, {
    name: "The page",
    folder: pageDir,
    paths: ["/"],
    assetsPath: "/assets/",
    headers: {
      "content-security-policy": contentSecurityPolicy,
      "permissions-policy": "microphone=(self), camera=(), geolocation=(), payment=(), usb=()",
    },
  });
}
