import { errors } from "jose";
import type { CryptoKey, JSONWebKeySet, JWK, JWTHeaderParameters } from "jose";
import { ParleyError } from "../errors.js";
import type { JwtConfig } from "../config/config.js";
import type { Logger } from "../logger.js";
import { KeySet } from "./key-set.js";
import type { TokenOrigin } from "./key-set.js";
import { readJson } from "./read-json.js";

/** How old what is known of the keys may be before they are read anew. */
const refreshMs = 10 * 60_000;
/** How soon after a reading a token that names an unknown key makes them be read again. */
const cooldownMs = 15_000;
/** After a reading that failed: the issuer may be down, and strangers may send tokens. */
const retryMs = 5_000;
/** How long keys are good that can't be read anew. */
const keptMs = 24 * 60 * 60_000;
/** How often it is logged that they can't be read, at most. */
const logEveryMs = 60_000;

interface Known {
  keys: KeySet;
  readAtMs: number;
}

export type IssuerKeysConfig = Pick<JwtConfig, "issuer" | "jwksUrl">;

/** The public keys of an issuer, read from it when they are needed and kept while it is away. */
export class IssuerKeys {
  readonly #config: IssuerKeysConfig;
  readonly #logger: Logger;
  #url: string | null;
  #known: Known | null = null;
  #reading: Promise<Known> | null = null;
  #failure: { error: unknown; atMs: number } | null = null;
  #loggedAtMs = -Infinity;

  constructor(config: IssuerKeysConfig, logger: Logger) {
    this.#config = config;
    this.#logger = logger;
    this.#url = config.jwksUrl;
  }

  /**
   * The key that a token's header names, among those that may sign for where it is from.
   * @throws JOSEError where there is none
   * @throws ParleyError UNAUTHENTICATED, retryable, where the keys can't be read
   */
  async find(header: JWTHeaderParameters, from: TokenOrigin): Promise<CryptoKey> {
    const known = await this.#current();
    try {
      return await known.keys.find(header, from);
    } catch (error) {
      const isNew = error instanceof errors.JWKSNoMatchingKey && Date.now() - known.readAtMs >= cooldownMs;
      if (!isNew) throw error;
    }
    return (await this.#read()).keys.find(header, from);
  }

  /** What says that a token could not be checked, for a reason that is not the token's. */
  unreadable(error: unknown): ParleyError {
    if (Date.now() - this.#loggedAtMs >= logEveryMs) {
      this.#loggedAtMs = Date.now();
      const keysReadAt = this.#known === null ? null : new Date(this.#known.readAtMs);
      const message =
        "the keys of the token's issuer can't be read: nobody whose token names a new one can sign in";
      this.#logger.error({ err: error, keysReadAt }, message);
    }
    return new ParleyError("UNAUTHENTICATED", "Tokens can't be checked at the moment. Try again soon.", {
      retryable: true,
      cause: error,
    });
  }

  async #current(): Promise<Known> {
    const known = this.#known;
    const ageMs = Date.now() - (known?.readAtMs ?? -Infinity);
    if (known !== null && ageMs < refreshMs) return known;
    const reading = this.#read();
    if (known === null || ageMs >= keptMs) return reading;
    const kept = reading.catch(() => known);
    // Nobody waits for an issuer that did not answer the last time.
    return this.#failure === null ? kept : known;
  }

  /** One reading at a time, and for a while none after one that failed. */
  #read(): Promise<Known> {
    const failure = this.#failure;
    if (failure !== null && Date.now() - failure.atMs < retryMs)
      return Promise.reject(this.unreadable(failure.error));
    this.#reading ??= this.#readNow().finally(() => (this.#reading = null));
    return this.#reading;
  }

  async #readNow(): Promise<Known> {
    try {
      this.#url ??= await discoverKeys(this.#config.issuer);
      const keys = new KeySet(await readKeySet(this.#url));
      this.#failure = null;
      this.#known = { keys, readAtMs: Date.now() };
      return this.#known;
    } catch (error) {
      this.#failure = { error, atMs: Date.now() };
      throw this.unreadable(error);
    }
  }
}

/** `KeySet` looks closer at it. */
async function readKeySet(url: string): Promise<JSONWebKeySet> {
  const found = await readJson(url);
  if (!Array.isArray(found["keys"])) throw new Error(`${url} answered no JWK set`);
  return { keys: found["keys"] as JWK[] };
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
