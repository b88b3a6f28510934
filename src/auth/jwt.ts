import { createRemoteJWKSet, jwtVerify } from "jose";
import type { JWTPayload } from "jose";
import { ParleyError } from "../errors.js";
import type { JwtConfig } from "../config/config.js";
import type { Logger } from "../logger.js";
import { readJson } from "./read-json.js";
import { notGood, unauthenticated } from "./sign-in.js";
import type { Authenticator, SignIn } from "./sign-in.js";
import { viewerId } from "./viewer.js";
import type { Scope, Viewer } from "./viewer.js";

type Keys = ReturnType<typeof createRemoteJWKSet>;

const discoveryRetryMs = 5_000;
/** The tenant of people whose tokens name none. */
const onlyTenant = "default";
const members: readonly Scope[] = ["conversations:read", "conversations:write"];
const operators: readonly Scope[] = ["usage:read"];

/** Signs in by the JSON Web Tokens of one issuer, such as Microsoft Entra ID. */
export class JwtAuthenticator implements Authenticator {
  readonly required = true;
  readonly #config: JwtConfig;
  readonly #logger: Logger;
  #keys: Promise<Keys> | null = null;

  constructor(config: JwtConfig, logger: Logger) {
    this.#config = config;
    this.#logger = logger;
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
    const keys = await this.#readKeys();
    try {
      const { payload } = await jwtVerify(token, keys, {
        audience: [...audiences],
        algorithms: [...algorithms],
        clockTolerance: clockSkewMs / 1000,
        requiredClaims: ["exp", "iss", "aud", this.#config.subjectClaim],
      });
      return payload;
    } catch (error) {
      if (isMistakeOfToken(error)) throw notGood();
      throw this.#unreadable(error);
    }
  }

  /** @throws ParleyError UNAUTHENTICATED */
  #viewerOf(claims: JWTPayload): Viewer {
    const { issuer, subjectClaim, tenantClaim, tenants } = this.#config;
    const subject = claims[subjectClaim];
    const tenantId = tenantClaim === null ? onlyTenant : claims[tenantClaim];
    if (!isName(subject) || !isName(tenantId)) throw notGood();
    if (claims.iss !== issuer.replace("{tenantid}", tenantId)) throw notGood();
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

  /** Where they are is read once; which they are is read anew by jose when a token names one that is not known. */
  #readKeys(): Promise<Keys> {
    this.#keys ??= this.#findKeys().catch((error: unknown) => {
      // Not anew for each request: the issuer may be down, and strangers may send tokens.
      setTimeout(() => (this.#keys = null), discoveryRetryMs).unref();
      throw this.#unreadable(error);
    });
    return this.#keys;
  }

  async #findKeys(): Promise<Keys> {
    const { issuer, jwksUrl } = this.#config;
    const url = jwksUrl ?? (await discoverKeys(issuer));
    return createRemoteJWKSet(new URL(url), {
      timeoutDuration: 5_000,
      cooldownDuration: 15_000,
      cacheMaxAge: 600_000,
    });
  }

  #unreadable(error: unknown): ParleyError {
    this.#logger.error(
      { err: error },
      "the keys of the token's issuer can't be read: nobody new can sign in",
    );
    return new ParleyError("UNAUTHENTICATED", "Tokens can't be checked at the moment. Try again soon.", {
      retryable: true,
      cause: error,
    });
  }
}

/** By OpenID Connect Discovery 1.0, section 4. */
async function discoverKeys(issuer: string): Promise<string> {
  const found = await readJson(`${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`);
  const url = found["jwks_uri"];
  if (found["issuer"] !== issuer || typeof url !== "string" || !URL.canParse(url))
    throw new Error(`the OpenID Connect configuration of ${issuer} is not that of this issuer`);
  if (new URL(issuer).protocol === "https:" && new URL(url).protocol !== "https:")
    throw new Error(`the OpenID Connect configuration of ${issuer} names keys that are not read by https`);
  return url;
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
