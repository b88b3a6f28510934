import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import type { TokenCredential } from "@azure/identity";
import { createTokenSource } from "../../src/azure/sign-in.js";
import type { ModelConnection } from "../../src/azure/types.js";
import { spokenChunks } from "./answers.js";
import { type Told, call, connectionTo, requestFor, spoken } from "./calls.js";
import { type ScriptedServer, json, startScriptedServer, stream } from "./scripted-server.js";

const disturbing = {
  AZURE_OPENAI_API_KEY: "key-of-the-environment",
  AZURE_OPENAI_ENDPOINT: "http://127.0.0.1:9",
  OPENAI_API_KEY: "another-key",
  OPENAI_API_VERSION: "1999-01-01",
  OPENAI_BASE_URL: "http://127.0.0.1:9/base",
  OPENAI_ADMIN_KEY: "admin-key",
  OPENAI_ORG_ID: "org",
  OPENAI_PROJECT_ID: "project",
};
const identity = {
  IDENTITY_ENDPOINT: "",
  IDENTITY_HEADER: "header-1",
  AZURE_TOKEN_CREDENTIALS: "prod",
};

let server: ScriptedServer;
let before: NodeJS.ProcessEnv;
beforeEach(async () => {
  before = { ...process.env };
  server = await startScriptedServer(stream(spokenChunks()));
});
afterEach(async () => {
  process.env = before;
  await server.close();
});

function fakeCredential(): { credential: TokenCredential; scopes: (string | string[])[] } {
  const scopes: (string | string[])[] = [];
  const getToken = (scope: string | string[]) => {
    scopes.push(scope);
    return Promise.resolve({ token: `token-${scopes.length}`, expiresOnTimestamp: Date.now() + 3_600_000 });
  };
  return { credential: { getToken }, scopes };
}

function ask(more: Partial<ModelConnection>, credential?: TokenCredential): Promise<Told> {
  const client = credential === undefined ? {} : { credential };
  return call(requestFor(spoken), { connection: connectionTo(server.endpoint, more), client });
}

const keyless = { auth: { kind: "keyless" } } as const;
const dated = "/openai/deployments/talker/chat/completions?api-version=2025-01-01-preview";

describe("a request with a key", () => {
  it.each([
    ["without", {}],
    ["with", disturbing],
  ])(
    "goes to the dated API's path with the key in its own header, %s variables that the SDK would read",
    async (_, variables) => {
      Object.assign(process.env, variables);
      expect((await ask({})).result.end).toEqual({ type: "complete" });
      const [request] = server.requests;
      expect(request).toMatchObject({ method: "POST", url: dated });
      expect(request?.headers).toMatchObject({ "api-key": "key-1", "content-type": "application/json" });
      for (const name of ["authorization", "openai-organization", "openai-project"]) {
        expect(request?.headers).not.toHaveProperty(name);
      }
    },
  );

  it.each([
    ["without", {}],
    ["with", disturbing],
  ])(
    "goes to the v1 API's path with the key as Bearer, %s variables that the SDK would read",
    async (_, variables) => {
      Object.assign(process.env, variables);
      expect((await ask({ apiVersion: "v1" })).result.end).toEqual({ type: "complete" });
      const [request] = server.requests;
      expect(request?.url).toBe("/openai/v1/chat/completions");
      expect(request?.headers.authorization).toBe("Bearer key-1");
      expect(request?.headers).not.toHaveProperty("openai-organization");
      expect(JSON.parse(String(request?.body))).toMatchObject({ model: "talker" });
    },
  );

  it("takes an endpoint with a slash at its end", async () => {
    await call(requestFor(spoken), { connection: connectionTo(`${server.endpoint}/`) });
    expect(server.requests[0]?.url).toBe(dated);
  });
});

describe("a keyless request", () => {
  it.each([
    ["2025-01-01-preview", "https://cognitiveservices.azure.com/.default", dated],
    ["v1", "https://ai.azure.com/.default", "/openai/v1/chat/completions"],
  ])("to %s bears a token for %s", async (apiVersion, scope, url) => {
    Object.assign(process.env, disturbing);
    const { credential, scopes } = fakeCredential();
    expect((await ask({ ...keyless, apiVersion }, credential)).result.end).toEqual({ type: "complete" });
    expect(scopes.flat()).toEqual([scope]);
    expect(server.requests[0]?.url).toBe(url);
    expect(server.requests[0]?.headers.authorization).toBe("Bearer token-1");
    expect(server.requests[0]?.headers).not.toHaveProperty("api-key");
  });

  it("uses a token as long as it is valid", async () => {
    const { credential, scopes } = fakeCredential();
    const source = createTokenSource("scope", credential);
    expect(await Promise.all([source(), source()])).toEqual(["token-1", "token-1"]);
    expect(await source()).toBe("token-1");
    expect(scopes.length).toBe(1);
  });

  it("signs in at a managed identity's endpoint", async () => {
    const expires_on = String(Math.floor(Date.now() / 1_000) + 3_600);
    const identityServer = await startScriptedServer(
      json(200, { access_token: "msi", expires_on, resource: "r", token_type: "Bearer" }),
    );
    Object.assign(process.env, identity, { IDENTITY_ENDPOINT: `${identityServer.endpoint}/msi/token` });
    const told = await ask(keyless);
    await identityServer.close();
    expect(told.result.end).toEqual({ type: "complete" });
    expect(server.requests[0]?.headers.authorization).toBe("Bearer msi");
    expect(new URL(identityServer.requests[0]?.url ?? "", "http://x").searchParams.get("resource")).toBe(
      "https://cognitiveservices.azure.com",
    );
  });

  it("tells the role where the provider refuses the identity", async () => {
    await server.close();
    server = await startScriptedServer(json(401, { error: { code: "PermissionDenied", message: "No." } }));
    const told = await ask(keyless, fakeCredential().credential);
    expect(told.result.end).toMatchObject({
      type: "failed",
      error: { code: "PROVIDER_AUTH_FAILED", status: 401 },
    });
    expect(told.result.end).toMatchObject({
      error: { message: expect.stringContaining("Cognitive Services User") },
    });
  });
});

describe("a sign-in that fails", () => {
  it("ends the call before anything is sent or announced", async () => {
    let begun = false;
    const getToken = () =>
      Promise.reject(new Error("AADSTS70043: the refresh token eyJhbGciOi is no longer good"));
    const { result } = await call(requestFor(spoken), {
      connection: connectionTo(server.endpoint, keyless),
      client: { credential: { getToken } },
      options: { onBegin: () => Promise.resolve(void (begun = true)) },
    });
    expect(result).toMatchObject({
      attempts: 0,
      end: { type: "failed", error: { code: "PROVIDER_AUTH_FAILED", retryable: false } },
    });
    const message = result.end.type === "failed" ? result.end.error.message : "";
    expect(message).toMatch(/\(AADSTS70043\).*az login.*Cognitive Services User.*AZURE_OPENAI_API_KEY/);
    expect(message).not.toContain("eyJ");
    expect(begun).toBe(false);
    expect(server.requests).toEqual([]);
  });

  it("is given up after its own limit, and the credential is told to stop", async () => {
    let told: { aborted: boolean } | undefined;
    const source = createTokenSource(
      "scope",
      { getToken: (_, options) => ((told = options?.abortSignal), new Promise(() => undefined)) },
      20,
    );
    await expect(source()).rejects.toMatchObject({
      name: "SignInError",
      message: "No token came within 20 ms.",
    });
    expect(told?.aborted).toBe(true);
  });

  it("can be tried again", async () => {
    let asked = 0;
    const { credential } = fakeCredential();
    const source = createTokenSource("scope", {
      getToken: (scope, options) => (
        (asked += 1),
        asked === 1 ? Promise.resolve(null) : credential.getToken(scope, options)
      ),
    });
    await expect(source()).rejects.toMatchObject({ name: "SignInError" });
    expect(await source()).toBe("token-1");
  });

  it("does not wait long for a managed identity's endpoint that refuses", async () => {
    const closed = await startScriptedServer(json(200, {}));
    await closed.close();
    Object.assign(process.env, identity, { IDENTITY_ENDPOINT: `${closed.endpoint}/msi/token` });
    const startedAt = performance.now();
    const told = await ask(keyless);
    expect(told.result.end).toMatchObject({ type: "failed", error: { code: "PROVIDER_AUTH_FAILED" } });
    expect(performance.now() - startedAt).toBeLessThan(8_000);
  });
});
