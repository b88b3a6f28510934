import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import type { DatabaseClient } from "../db/database.js";
import type { ApiKeyRow } from "../db/rows.js";
import { newId } from "../ids.js";
import { notGood, unauthenticated } from "./sign-in.js";
import type { Authenticator, SignIn } from "./sign-in.js";
import { isScope, viewerId } from "./viewer.js";
import type { Scope } from "./viewer.js";

export interface NewApiKey {
  name: string;
  /** The person as the operator names them. */
  owner: string;
  tenantId: string;
  scopes: readonly Scope[];
  /** Null: until it is revoked. */
  expiresAt: Date | null;
}

/** Its last use is written no more often than this, in milliseconds. */
const lastUseStepMs = 60_000;
const form = /^parley_([0-9A-HJKMNP-TV-Z]{26})_([\w-]{43})$/;

/** Makes, lists and revokes the keys that programs sign in with. */
export class ApiKeys {
  readonly #client: DatabaseClient;

  constructor(client: DatabaseClient) {
    this.#client = client;
  }

  /** The key is told once, here; nobody can read it again. */
  async create({
    name,
    owner,
    tenantId,
    scopes,
    expiresAt,
  }: NewApiKey): Promise<{ key: string; row: ApiKeyRow }> {
    const id = newId("apikey");
    const secret = randomBytes(32).toString("base64url");
    const row = await this.#client.apiKey.create({
      data: {
        id,
        name,
        owner,
        tenantId,
        viewerId: viewerId(tenantId, owner),
        scopes: scopes.join(" "),
        secretHash: hash(secret),
        createdAt: new Date(),
        expiresAt,
      },
    });
    return { key: `parley_${id.slice("apikey_".length)}_${secret}`, row };
  }

  /** Oldest first, those that are revoked or over included. */
  list(): Promise<ApiKeyRow[]> {
    return this.#client.apiKey.findMany({ orderBy: { id: "asc" } });
  }

  /** The key as it is then; null where there is none with this id. One that is revoked already keeps its first time. */
  async revoke(id: string): Promise<ApiKeyRow | null> {
    await this.#client.apiKey.updateMany({ where: { id, revokedAt: null }, data: { revokedAt: new Date() } });
    return this.#client.apiKey.findUnique({ where: { id } });
  }

  /**
   * The row of a key that is good now.
   * @throws ParleyError UNAUTHENTICATED for every other text
   */
  async find(key: string): Promise<ApiKeyRow> {
    const [, idPart, secret] = form.exec(key) ?? [];
    if (idPart === undefined || secret === undefined) throw notGood("it is no key of Parley's");
    const row = await this.findById(`apikey_${idPart}`);
    if (!isSame(hash(secret), row.secretHash)) throw notGood("the key is not the one that was made");
    return row;
  }

  /** @throws ParleyError UNAUTHENTICATED where it is not good, or no more */
  async findById(id: string): Promise<ApiKeyRow> {
    const row = await this.#client.apiKey.findUnique({ where: { id } });
    if (row === null) throw notGood("there is no such key");
    if (row.revokedAt !== null) throw notGood("the key was revoked");
    if (row.expiresAt !== null && row.expiresAt <= new Date()) throw notGood("the key has ended");
    return row;
  }

  async noteUse({ id, lastUsedAt }: ApiKeyRow): Promise<void> {
    const now = new Date();
    if (lastUsedAt !== null && now.getTime() - lastUsedAt.getTime() < lastUseStepMs) return;
    await this.#client.apiKey.updateMany({ where: { id }, data: { lastUsedAt: now } });
  }
}

/** Signs in by keys. Each request looks its key up, so that one that was revoked is good nowhere from then on. */
export class ApiKeyAuthenticator implements Authenticator {
  readonly required = true;
  readonly #keys: ApiKeys;

  constructor(keys: ApiKeys) {
    this.#keys = keys;
  }

  async signIn(credential: string | null): Promise<SignIn> {
    if (credential === null) throw unauthenticated("Sign in: send a key as `Authorization: Bearer KEY`.");
    const row = await this.#keys.find(credential);
    await this.#keys.noteUse(row);
    const { id, tenantId, expiresAt } = row;
    const scopes = new Set(row.scopes.split(" ").filter(isScope));
    return {
      viewer: { id: row.viewerId, tenantId, scopes },
      expiresAt,
      recheck: async () => {
        await this.#keys.findById(id);
      },
    };
  }
}

function hash(secret: string): string {
  return createHash("sha256").update(secret).digest("hex");
}

function isSame(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.byteLength === b.byteLength && timingSafeEqual(a, b);
}
