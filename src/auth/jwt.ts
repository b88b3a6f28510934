import { decodeJwt, jwtVerify } from "jose";
import type { JWTPayload } from "jose";
import { ParleyError } from "../errors.js";
import type { JwtConfig } from "../config/config.js";
import type { Logger } from "../logger.js";
import { IssuerKeys } from "./issuer-keys.js";
import { issuerFor } from "./key-set.js";
import type { TokenOrigin } from "./key-set.js";
import { notGood, unauthenticated } from "./sign-in.js";
import type { Authenticator, SignIn } from "./sign-in.js";
import { viewerId } from "./viewer.js";
import type { Scope, Viewer } from "./viewer.js";

/** The tenant of people whose tokens name none. */
const onlyTenant = "default";
const members: readonly Scope[] = ["conversations:read", "conversations:write"];
const operators: readonly Scope[] = ["usage:read"];

/** Signs in by the JSON Web Tokens of one issuer, such as Microsoft Entra ID. */
export class JwtAuthenticator implements Authenticator {
  readonly required = true;
  readonly #config: JwtConfig;
  readonly #keys: IssuerKeys;

  constructor(config: JwtConfig, logger: Logger) {
    this.#config = config;
    this.#keys = new IssuerKeys(config, logger);
  }

  async signIn(token: string | null): Promise<SignIn> {
    if (token === null) throw unauthenticated("Sign in: send a token as `Authorization: Bearer TOKEN`.");
    const claims = await this.#verify(token);
    const viewer = this.#viewerOf(claims);
    const skewMs = this.#config.clockSkewMs;
    const expiresAt = new Date((claims.exp ?? 0) * 1000 + skewMs);
    // The signature was checked; only time can make it worse.
    const recheck = () =>
      Date.now() < expiresAt.getTime() ? Promise.resolve() : Promise.reject(notGood(ended));
    return { viewer, expiresAt, recheck };
  }

  async #verify(token: string): Promise<JWTPayload> {
    const { audiences, algorithms, clockSkewMs } = this.#config;
    try {
      const from = this.#originOf(decodeJwt(token));
      const { payload } = await jwtVerify(token, (header) => this.#keys.find(header, from), {
        audience: [...audiences],
        algorithms: [...algorithms],
        clockTolerance: clockSkewMs / 1000,
        requiredClaims: ["exp", "iss", "aud", this.#config.subjectClaim],
      });
      return payload;
    } catch (error) {
      const mistake = mistakeOfToken(error);
      if (mistake !== null) throw notGood(mistake);
      throw error instanceof ParleyError ? error : this.#keys.unreadable(error);
    }
  }

  /** Entra's keys name the directory that they sign for, also where all people are of one tenant here. */
  #originOf(claims: JWTPayload): TokenOrigin {
    return { issuer: claims.iss, tenant: claims[this.#config.tenantClaim ?? "tid"] };
  }

  /** @throws ParleyError UNAUTHENTICATED */
  #viewerOf(claims: JWTPayload): Viewer {
    const { issuer, subjectClaim, tenantClaim, tenants } = this.#config;
    const subject = claims[subjectClaim];
    const tenantId = tenantClaim === null ? onlyTenant : claims[tenantClaim];
    if (!isName(subject)) throw notGood(`the token's ${subjectClaim} names nobody`);
    if (!isName(tenantId)) throw notGood(`the token's ${tenantClaim ?? ""} names no tenant`);
    if (claims.iss !== issuerFor(issuer, tenantId)) throw notGood("the token's iss is not AUTH_JWT_ISSUER");
    if (tenants.length > 0 && !tenants.includes(tenantId))
      throw notGood("the token's tenant is not in AUTH_JWT_TENANTS");
    return { id: viewerId(tenantId, subject), tenantId, scopes: new Set(this.#scopesOf(claims)) };
  }

  /** Whoever is only an operator sees what is used, and nobody's words. */
  #scopesOf(claims: JWTPayload): Scope[] {
    const { rolesClaim, memberRole, operatorRole } = this.#config;
    const claim = claims[rolesClaim];
    const roles: unknown[] = Array.isArray(claim) ? claim : typeof claim === "string" ? claim.split(" ") : [];
    const isOperator = roles.includes(operatorRole);
    const isMember = memberRole === null ? !isOperator : roles.includes(memberRole);
    return [...(isMember ? members : []), ...(isOperator ? operators : [])];
  }
}

const ended = "the token has ended";
const unreadable = "it is no token that can be read";
/** What jose says of a token, by the code of its error. */
const tokenMistakes: ReadonlyMap<unknown, string> = new Map([
  ["ERR_JWT_EXPIRED", ended],
  ["ERR_JWT_CLAIM_VALIDATION_FAILED", "a claim of the token is not what it must be"],
  ["ERR_JWT_INVALID", unreadable],
  ["ERR_JWS_INVALID", unreadable],
  ["ERR_JOSE_NOT_SUPPORTED", unreadable],
  ["ERR_JWS_SIGNATURE_VERIFICATION_FAILED", "the token's signature is wrong"],
  ["ERR_JOSE_ALG_NOT_ALLOWED", "the token is not signed as AUTH_JWT_ALGORITHMS allows"],
  ["ERR_JWKS_NO_MATCHING_KEY", "the issuer has no such key, or not for this token"],
  ["ERR_JWKS_MULTIPLE_MATCHING_KEYS", "the token does not tell which key of the issuer it was signed with"],
]);

/** Null where the token is not to blame. Claims are named by jose or the settings, never by the token. */
function mistakeOfToken(error: unknown): string | null {
  if (typeof error !== "object" || error === null || !("code" in error)) return null;
  const mistake = tokenMistakes.get(error.code) ?? null;
  if (error.code !== "ERR_JWT_CLAIM_VALIDATION_FAILED" || !("claim" in error) || !("reason" in error))
    return mistake;
  if (error.reason === "missing") return `the token has no ${String(error.claim)}`;
  const setting = error.claim === "aud" ? " (AUTH_JWT_AUDIENCE)" : "";
  return `the token's ${String(error.claim)} is not what it must be${setting}`;
}

function isName(claim: unknown): claim is string {
  return typeof claim === "string" && claim.length > 0 && claim.length <= 200 && claim.isWellFormed();
}
