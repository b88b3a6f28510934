import type { AuthConfig, JwtConfig } from "./config.js";
import type { SettingReader } from "./setting-reader.js";

/** Signatures by a private key that only the issuer has; with a shared secret every reader could write tokens. */
const algorithms = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"];
/** Stands for the tenant claim in the issuer of tokens that come from many tenants. */
export const tenantPlaceholder = "{tenantid}";

/** Who may come in, and how they show it. */
export function parseAuth(read: SettingReader): AuthConfig {
  const kind = read.choice("AUTH", ["none", "jwt", "api-key"], "none");
  return kind === "jwt" ? parseJwt(read) : { kind };
}

function parseJwt(read: SettingReader): JwtConfig {
  const issuer = parseIssuer(read);
  const tenantClaim = read.text("AUTH_JWT_TENANT_CLAIM");
  const jwksUrl = parseKeysUrl(read);
  if (issuer.includes(tenantPlaceholder) && tenantClaim === null)
    read.refuse(`AUTH_JWT_TENANT_CLAIM is required with ${tenantPlaceholder} in AUTH_JWT_ISSUER.`);
  if (issuer.includes(tenantPlaceholder) && jwksUrl === null)
    read.refuse(`AUTH_JWT_JWKS_URL is required with ${tenantPlaceholder} in AUTH_JWT_ISSUER.`);
  return {
    kind: "jwt",
    issuer,
    audiences: parseAudiences(read),
    jwksUrl,
    algorithms: parseAlgorithms(read),
    clockSkewMs: read.integer("AUTH_JWT_CLOCK_SKEW_MS", { default: 60_000, min: 0, max: 300_000 }),
    subjectClaim: read.text("AUTH_JWT_SUBJECT_CLAIM") ?? "sub",
    tenantClaim,
    tenants: read.list("AUTH_JWT_TENANTS"),
    rolesClaim: read.text("AUTH_JWT_ROLES_CLAIM") ?? "roles",
    memberRole: read.text("AUTH_JWT_MEMBER_ROLE"),
    operatorRole: read.text("AUTH_JWT_OPERATOR_ROLE") ?? "Parley.Operator",
  };
}

/** Tokens are compared with it letter by letter, a slash at its end included. */
function parseIssuer(read: SettingReader): string {
  const text = read.text("AUTH_JWT_ISSUER");
  if (text === null) {
    read.refuse("AUTH_JWT_ISSUER is required with AUTH=jwt: what tokens hold as iss.");
    return "";
  }
  if (!isTrustworthy(text.replace(tenantPlaceholder, "tenant"))) refuseAddress(read, "AUTH_JWT_ISSUER");
  return text;
}

function parseAudiences(read: SettingReader): string[] {
  const audiences = read.list("AUTH_JWT_AUDIENCE");
  if (audiences.length === 0)
    read.refuse("AUTH_JWT_AUDIENCE is required with AUTH=jwt: what tokens for this server hold as aud.");
  return audiences;
}

function parseKeysUrl(read: SettingReader): string | null {
  const text = read.text("AUTH_JWT_JWKS_URL");
  if (text !== null && !isTrustworthy(text)) refuseAddress(read, "AUTH_JWT_JWKS_URL");
  return text;
}

function parseAlgorithms(read: SettingReader): string[] {
  const chosen = read.list("AUTH_JWT_ALGORITHMS");
  for (const name of chosen) {
    if (!algorithms.includes(name))
      read.refuse(`AUTH_JWT_ALGORITHMS may hold ${algorithms.join(", ")}; it holds "${name}".`);
  }
  return chosen.length === 0 ? ["RS256"] : chosen;
}

/** Whoever can change what is read there can sign in as anybody, so it is read by https, or on this machine. */
function isTrustworthy(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, username, password } = new URL(text);
  if (username !== "" || password !== "") return false;
  return (
    protocol === "https:" || (protocol === "http:" && ["127.0.0.1", "[::1]", "localhost"].includes(hostname))
  );
}

function refuseAddress(read: SettingReader, name: string): void {
  read.refuse(`${name} must be an https address without a user; http only for a loopback host.`);
}
