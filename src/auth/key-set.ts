import { createLocalJWKSet } from "jose";
import type { CryptoKey, JSONWebKeySet, JWK, JWTHeaderParameters } from "jose";

/** What a token says of where it is from; nothing of it is checked yet. */
export interface TokenOrigin {
  /** Its `iss`. */
  issuer: unknown;
  tenant: unknown;
}

type Lookup = ReturnType<typeof createLocalJWKSet>;

/**
 * The keys that were published at one place. One of them may be there for the tokens of one issuer alone: Microsoft
 * Entra ID has all directories' keys in one set, and says of each whose it is in a member `issuer`.
 */
export class KeySet {
  readonly #keys: readonly JWK[];
  /** By the places of its keys in the set: there are only as many as the set names issuers. */
  readonly #lookups = new Map<string, Lookup>();

  /** @throws JOSEError where it is no set of keys */
  constructor(set: JSONWebKeySet) {
    this.#keys = createLocalJWKSet(set).jwks().keys;
  }

  /**
   * The key that a token's header names, among those that may sign for where it is from.
   * @throws JOSEError where there is none
   */
  find(header: JWTHeaderParameters, from: TokenOrigin): Promise<CryptoKey> {
    const places = [...this.#keys.keys()].filter((place) => signsFor(this.#keys[place], from));
    const lookup = this.#lookups.get(places.join()) ?? this.#lookupOf(places);
    return lookup(header);
  }

  #lookupOf(places: readonly number[]): Lookup {
    const lookup = createLocalJWKSet({ keys: places.flatMap((place) => this.#keys[place] ?? []) });
    this.#lookups.set(places.join(), lookup);
    return lookup;
  }
}

/** An issuer whose `{tenantid}` stands for the tenant of the token. */
export function issuerFor(template: string, tenant: string): string {
  return template.replace("{tenantid}", () => tenant);
}

function signsFor(key: JWK | undefined, { issuer, tenant }: TokenOrigin): boolean {
  const named: unknown = key !== undefined && "issuer" in key ? key.issuer : undefined;
  if (named === undefined) return true;
  if (typeof named !== "string") return false;
  return issuer === (typeof tenant === "string" ? issuerFor(named, tenant) : named);
}
