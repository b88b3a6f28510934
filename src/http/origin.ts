import type { FastifyRequest } from "fastify";

/** Where this server's own URLs begin, without a slash: PUBLIC_URL, else as the request reached it. */
export function originOf(request: FastifyRequest, publicUrl: URL | null): string {
  return publicUrl?.origin ?? `${request.protocol}://${request.headers.host ?? "localhost"}`;
}
