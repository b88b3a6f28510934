/** What tells how a request reached this server: a Fastify request, or what is known of an upgrade. */
export interface Reached {
  protocol: string;
  headers: { host?: string | undefined };
}

/** Where this server's own URLs begin, without a slash: PUBLIC_URL, else as the request reached it. */
export function originOf(request: Reached, publicUrl: URL | null): string {
  return publicUrl?.origin ?? `${request.protocol}://${request.headers.host ?? "localhost"}`;
}
