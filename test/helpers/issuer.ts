import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach } from "@jest/globals";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import type { JWK } from "jose";
import type { Env } from "../../src/config/env.js";

type Keys = Awaited<ReturnType<typeof generateKeyPair>>;

/** An issuer of tokens, as Microsoft Entra ID is one: its configuration and its keys, over real HTTP. */
export class Issuer {
  /** How often its keys were read. */
  keysRead = 0;
  /** How often its configuration was read. */
  configurationRead = 0;
  /** Whether it answers nothing but 503. */
  down = false;
  url = "";
  readonly #server = createServer({ keepAliveTimeout: 120_000 }, (request, response) => {
    const path = request.url ?? "";
    const answer = this.down ? undefined : this.#answers()[path];
    if (path === "/keys") this.keysRead += 1;
    else this.configurationRead += 1;
    response.writeHead(answer === undefined ? 503 : 200, { "content-type": "application/json" });
    response.end(JSON.stringify(answer ?? {}));
  });
  readonly #published: JWK[] = [];
  #keys: Keys | null = null;
  #keyId = "";

  static async start(): Promise<Issuer> {
    const issuer = new Issuer();
    await issuer.rotate("first");
    await new Promise<void>((resolve) => issuer.#server.listen(0, "127.0.0.1", resolve));
    issuer.url = `http://127.0.0.1:${(issuer.#server.address() as AddressInfo).port}`;
    running.add(issuer);
    return issuer;
  }

  /** The settings of a server that takes its tokens. */
  settings(changes: Env = {}): Env {
    return { AUTH: "jwt", AUTH_JWT_ISSUER: this.url, AUTH_JWT_AUDIENCE: "parley-api", ...changes };
  }

  /** Signs with a new key from now on, and publishes it beside the old ones, with `more` that is said of it. */
  async rotate(keyId: string, more: Record<string, unknown> = {}): Promise<void> {
    this.#keys = await generateKeyPair("RS256");
    this.#keyId = keyId;
    this.#published.push({
      ...(await exportJWK(this.#keys.publicKey)),
      kid: keyId,
      alg: "RS256",
      use: "sig",
      ...more,
    });
  }

  /** A token for `sub` that is good for ten minutes, with changes to its claims; null takes one away. */
  async token(subject: string, changes: Record<string, unknown> = {}): Promise<string> {
    const now = Math.floor(Date.now() / 1000);
    const claims = { iss: this.url, aud: "parley-api", sub: subject, iat: now, exp: now + 600, ...changes };
    const kept = Object.entries<unknown>(claims).filter(([, value]) => value !== null);
    if (this.#keys === null) throw new Error("the issuer has no keys");
    return new SignJWT(Object.fromEntries(kept))
      .setProtectedHeader({ alg: "RS256", kid: this.#keyId })
      .sign(this.#keys.privateKey);
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #answers(): Record<string, object> {
    return {
      "/.well-known/openid-configuration": { issuer: this.url, jwks_uri: `${this.url}/keys` },
      "/keys": { keys: this.#published },
    };
  }
}

const running = new Set<Issuer>();

afterEach(async () => {
  await Promise.all([...running].map((issuer) => issuer.close()));
  running.clear();
});
