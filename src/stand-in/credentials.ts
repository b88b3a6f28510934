import type { IncomingHttpHeaders } from "node:http";
import { unauthorized } from "./faults/fault-error.js";
import type { Identity } from "./identity.js";
import type { Api } from "./routes.js";

export type Credential =
  { kind: "api-key"; value: string } | { kind: "bearer"; value: string } | { kind: "none" };

const bearer = /^Bearer +(\S.*)$/i;

export function readCredential(headers: IncomingHttpHeaders): Credential {
  const key = headers["api-key"];
  if (typeof key === "string" && key !== "") return { kind: "api-key", value: key };
  const token = bearer.exec(headers.authorization ?? "")?.[1];
  return token === undefined ? { kind: "none" } : { kind: "bearer", value: token };
}

/** Any key will do (on v1 as a Bearer too); a token has to come from the identity endpoint, and be meant for this API, where there is one. */
export function checkCredential(credential: Credential, api: Api, identity: Identity | null): void {
  if (credential.kind === "none") throw unauthorized(api === "v1" ? "token" : "key");
  if (credential.kind === "bearer" && identity !== null && !identity.accepts(credential.value, api)) {
    throw unauthorized("token");
  }
}
