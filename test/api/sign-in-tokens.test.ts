import { afterEach, describe, expect, it, jest } from "@jest/globals";
import { SignJWT } from "jose";
import { Issuer } from "../helpers/issuer.js";
import { reasonsIn } from "../helpers/people.js";
import { TestParley, sendOperation } from "../helpers/parley.js";

const readViewer = "{ viewer { id } }";
const start = "mutation { startConversation { conversation { id } } }";
const readConversations = "{ conversations { totalCount } }";

afterEach(() => {
  jest.restoreAllMocks();
});

async function withIssuer(changes: Record<string, string> = {}) {
  const issuer = await Issuer.start();
  const parley = await TestParley.start("sqlite", { env: issuer.settings(changes) });
  const send = (token: string, query = readViewer) =>
    parley.send<{ viewer: { id: string } }>(query, {}, { authorization: `Bearer ${token}` });
  return { issuer, parley, send };
}

describe("signing in by token", () => {
  it("lets in whom the issuer names, the same person each time and another for another name", async () => {
    const { issuer, send } = await withIssuer();
    const ada = await send(await issuer.token("ada"));
    expect(ada).toMatchObject({ status: 200, errors: [] });
    expect(ada.data.viewer.id).toMatch(/^viewer_[\w-]{26}$/);
    expect((await send(await issuer.token("ada"))).data).toEqual(ada.data);
    expect((await send(await issuer.token("bert"))).data).not.toEqual(ada.data);
    expect(issuer.keysRead).toBe(1);
  });

  it("asks for a token where none came, and says how", async () => {
    const { parley } = await withIssuer();
    const { status, headers, errors } = await parley.send(readViewer);
    expect(status).toBe(401);
    expect(headers.get("www-authenticate")).toBe('Bearer realm="Parley"');
    expect(errors).toMatchObject([
      {
        message: expect.stringContaining("Authorization: Bearer"),
        extensions: { code: "UNAUTHENTICATED", retryable: false },
      },
    ]);
  });

  const now = () => Math.floor(Date.now() / 1000);
  it.each<[string, Record<string, unknown>, string]>([
    ["is over by more than the clock skew", { exp: now() - 61 }, "the token has ended"],
    ["is not yet good", { nbf: now() + 3_600 }, "the token's nbf is not what it must be"],
    ["has no end", { exp: null }, "the token has no exp"],
    [
      "is for another server",
      { aud: "other-api" },
      "the token's aud is not what it must be (AUTH_JWT_AUDIENCE)",
    ],
    ["is by another issuer", { iss: "http://127.0.0.1:1" }, "the token's iss is not AUTH_JWT_ISSUER"],
    ["names nobody", { sub: null }, "the token has no sub"],
    ["names nobody in particular", { sub: "" }, "the token's sub names nobody"],
    ["names a number", { sub: 7 }, "the token's sub names nobody"],
  ])("refuses a token that %s, and says why in the log alone", async (_what, changes, reason) => {
    const { issuer, parley, send } = await withIssuer();
    expect(await send(await issuer.token("ada", changes))).toMatchObject({
      status: 401,
      errors: [{ message: "The token or key is not good here, or no more. Sign in again." }],
    });
    expect(reasonsIn(parley)).toEqual([reason]);
  });

  it("takes one that is over by less than the clock skew", async () => {
    const { issuer, send } = await withIssuer();
    expect((await send(await issuer.token("ada", { exp: now() - 30 }))).status).toBe(200);
  });

  it("refuses what the issuer did not sign, whatever it says of its algorithm", async () => {
    const { issuer, send } = await withIssuer();
    const token = await issuer.token("ada");
    const [head = "", claims = "", signature = ""] = token.split(".");
    const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const unsigned = `${encode({ alg: "none" })}.${claims}.`;
    const changed = `${head}.${encode({ ...(JSON.parse(Buffer.from(claims, "base64url").toString()) as object), sub: "eve" })}.${signature}`;
    const shared = await new SignJWT({ sub: "ada" })
      .setProtectedHeader({ alg: "HS256", kid: "first" })
      .setIssuer(issuer.url)
      .setAudience("parley-api")
      .setExpirationTime("5m")
      .sign(new TextEncoder().encode("a secret that everybody could know"));
    const statuses = [unsigned, changed, shared, "no.token.at-all", "x"].map(
      async (each) => (await send(each)).status,
    );
    expect(await Promise.all(statuses)).toEqual([401, 401, 401, 401, 401]);
  });

  it("reads the issuer's keys again when a token is signed with a new one", async () => {
    const { issuer, send } = await withIssuer();
    expect((await send(await issuer.token("ada"))).status).toBe(200);
    const old = await issuer.token("ada");
    await issuer.rotate("second");
    // jose reads the keys no more often than each 15 s.
    jest.spyOn(Date, "now").mockReturnValue(Date.now() + 20_000);
    expect((await send(await issuer.token("ada"))).status).toBe(200);
    expect((await send(old)).status).toBe(200);
    expect(issuer.keysRead).toBe(2);
  });

  it("keeps people of the same name in two tenants apart, and takes only the tenants of the list", async () => {
    const { issuer, send } = await withIssuer({
      AUTH_JWT_TENANT_CLAIM: "tid",
      AUTH_JWT_TENANTS: "acme,globex",
    });
    const [acme, globex] = await Promise.all(
      ["acme", "globex"].map(async (tid) => (await send(await issuer.token("ada", { tid }))).data.viewer.id),
    );
    expect(acme).not.toBe(globex);
    expect((await send(await issuer.token("ada", { tid: "initech" }))).status).toBe(401);
    expect((await send(await issuer.token("ada"))).status).toBe(401);
  });

  it("compares the issuer of each tenant, where tokens come from many", async () => {
    const issuer = await Issuer.start();
    const env = issuer.settings({
      AUTH_JWT_ISSUER: `${issuer.url}/{tenantid}/v2.0`,
      AUTH_JWT_JWKS_URL: `${issuer.url}/keys`,
      AUTH_JWT_TENANT_CLAIM: "tid",
      AUTH_JWT_SUBJECT_CLAIM: "oid",
    });
    const parley = await TestParley.start("sqlite", { env });
    const status = async (tid: string, iss: string) => {
      const token = await issuer.token("pairwise", { tid, iss, oid: "ada" });
      return (await sendOperation(parley.url, readViewer, {}, { authorization: `Bearer ${token}` })).status;
    };
    expect(await status("acme", `${issuer.url}/acme/v2.0`)).toBe(200);
    expect(await status("acme", `${issuer.url}/globex/v2.0`)).toBe(401);
  });

  it("takes a key that is of one directory for tokens of that one alone, where tokens come from many", async () => {
    const issuer = await Issuer.start();
    const ofAny = `${issuer.url}/{tenantid}/v2.0`;
    const env = issuer.settings({
      AUTH_JWT_ISSUER: ofAny,
      AUTH_JWT_JWKS_URL: `${issuer.url}/keys`,
      AUTH_JWT_TENANT_CLAIM: "tid",
    });
    const parley = await TestParley.start("sqlite", { env });
    const tokenOf = (tid: string) => issuer.token("ada", { tid, iss: `${issuer.url}/${tid}/v2.0` });
    const answer = (token: string) =>
      sendOperation(parley.url, readViewer, {}, { authorization: `Bearer ${token}` });
    await issuer.rotate("globex's", { issuer: `${issuer.url}/globex/v2.0` });
    const [forged, good] = [await tokenOf("acme"), await tokenOf("globex")];
    await issuer.rotate("everybody's", { issuer: ofAny });
    const ofAll = [await tokenOf("acme"), await tokenOf("globex")];
    await issuer.rotate("odd", { issuer: 7 });
    expect(await answer(forged)).toMatchObject({
      status: 401,
      errors: [{ message: "The token or key is not good here, or no more. Sign in again." }],
    });
    for (const token of [good, ...ofAll]) expect((await answer(token)).status).toBe(200);
    expect((await answer(await tokenOf("acme"))).status).toBe(401);
  });

  it("lets an operator see no conversation, and a member no more than theirs", async () => {
    const { issuer, send } = await withIssuer();
    const operator = await issuer.token("ops", { roles: ["Parley.Operator"] });
    for (const query of [start, readConversations]) {
      expect(await send(operator, query)).toMatchObject({ errors: [{ extensions: { code: "FORBIDDEN" } }] });
    }
    expect((await send(operator)).errors).toEqual([]);
    expect((await send(await issuer.token("ada", { roles: "Other.Role" }), start)).errors).toEqual([]);
  });

  it("lets nobody in as a member without the role, where one is set", async () => {
    const { issuer, send } = await withIssuer({ AUTH_JWT_MEMBER_ROLE: "Parley.Member" });
    expect((await send(await issuer.token("ada", { roles: ["Parley.Member"] }), start)).errors).toEqual([]);
    expect(await send(await issuer.token("ada"), start)).toMatchObject({
      errors: [{ extensions: { code: "FORBIDDEN" } }],
    });
  });
});
