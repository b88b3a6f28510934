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
    const recheck = () => (Date.now() < expiresAt.getTime() ? Promise.resolve() : Promise.reject(notGood()));
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
      if (isMistakeOfToken(error)) throw notGood();
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
    if (!isName(subject) || !isName(tenantId)) throw notGood();
    if (claims.iss !== issuerFor(issuer, tenantId)) throw notGood();
    if (tenants.length > 0 && !tenants.includes(tenantId)) throw notGood();
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

const tokenMistakes: ReadonlySet<unknown> = new Set([
  "ERR_JWT_EXPIRED",
  "ERR_JWT_CLAIM_VALIDATION_FAILED",
  "ERR_JWT_INVALID",
  "ERR_JWS_INVALID",
  "ERR_JWS_SIGNATURE_VERIFICATION_FAILED",
  "ERR_JOSE_ALG_NOT_ALLOWED",
  "ERR_JOSE_NOT_SUPPORTED",
  "ERR_JWKS_NO_MATCHING_KEY",
  "ERR_JWKS_MULTIPLE_MATCHING_KEYS",
]);

function isMistakeOfToken(error: unknown): boolean {
  return typeof error === "object" && error !== null && "code" in error && tokenMistakes.has(error.code);
}

function isName(claim: unknown): claim is string {
  return typeof claim === "string" && claim.length > 0 && claim.length <= 200 && claim.isWellFormed();
}
