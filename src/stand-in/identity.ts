import { randomBytes } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { ProtocolError } from "./protocol-error.js";
import type { Api } from "./routes.js";

/** A managed identity as App Service offers it (`IDENTITY_ENDPOINT`, `IDENTITY_HEADER`), with tokens of its own. */
export interface Identity {
  readonly header: string;
  /** Answers the body of a token request; throws ProtocolError where the request is refused. */
  issue(target: string, headers: IncomingHttpHeaders): Record<string, unknown>;
  /** Whether the token was issued here, lives, and is meant for this API. */
  accepts(token: string, api: Api): boolean;
}

const tokenPrefix = "stand-in.";
const resources: Record<Api, string> = {
  dated: "https://cognitiveservices.azure.com",
  v1: "https://ai.azure.com",
};
const tokenLifetimeMs = 3_600_000;
const maxTokens = 1000;

interface Token {
  resource: string;
  expiresAtMs: number;
}

export function createIdentity(now: () => Date): Identity {
  const header = randomBytes(16).toString("hex");
  const tokens = new Map<string, Token>();
  return {
    header,
    issue(target, headers) {
      const resource = readTokenRequest(target, headers, header);
      const value = `${tokenPrefix}${randomBytes(24).toString("base64url")}`;
      const expiresAtMs = now().getTime() + tokenLifetimeMs;
      tokens.set(value, { resource, expiresAtMs });
      forgetOldest(tokens);
      return tokenBody(value, resource, expiresAtMs);
    },
    accepts(value, api) {
      if (api === "v1" && isKey(value)) return true;
      const token = tokens.get(value);
      return token?.resource === resources[api] && token.expiresAtMs > now().getTime();
    },
  };
}

/** On v1 a key may come as a Bearer too; a token shows by what this endpoint, or a real one, begins them with. */
function isKey(value: string): boolean {
  return !value.startsWith(tokenPrefix) && !value.startsWith("eyJ");
}

function readTokenRequest(target: string, headers: IncomingHttpHeaders, header: string): string {
  if (headers["x-identity-header"] !== header)
    throw refused(401, "The header x-identity-header is missing or wrong.");
  const query = new URLSearchParams(target.split("?", 2)[1] ?? "");
  const resource = (query.get("resource") ?? "").replace(/\/$/, "");
  if (query.get("api-version") === null) throw refused(400, "The parameter api-version is missing.");
  if (!Object.values(resources).includes(resource)) {
    throw refused(400, `The resource ${JSON.stringify(resource.slice(0, 100))} is not known here.`);
  }
  return resource;
}

function refused(status: number, message: string): ProtocolError {
  return new ProtocolError(status, message, { statusCode: status, message });
}

function forgetOldest(tokens: Map<string, Token>): void {
  const oldest = tokens.keys().next();
  if (tokens.size > maxTokens && oldest.done !== true) tokens.delete(oldest.value);
}

function tokenBody(value: string, resource: string, expiresAtMs: number): Record<string, unknown> {
  return {
    access_token: value,
    expires_on: String(Math.floor(expiresAtMs / 1000)),
    resource,
    token_type: "Bearer",
  };
}
