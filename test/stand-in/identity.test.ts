import { describe, expect, it } from "@jest/globals";
import { DefaultAzureCredential, getBearerTokenProvider } from "@azure/identity";
import OpenAI, { AzureOpenAI } from "openai";
import { z } from "zod";
import type { StandIn } from "../../src/stand-in/index.js";
import { datedPath, post, readSpoken, spokenRequest, v1Path, withStandIn } from "./support.js";

const scopes = { dated: "https://cognitiveservices.azure.com/.default", v1: "https://ai.azure.com/.default" };
const tokenBody = z.object({
  access_token: z.string(),
  expires_on: z.string(),
  token_type: z.literal("Bearer"),
});

describe("the managed identity", () => {
  it("signs the provider's clients in without a key, with the scope of each API", async () => {
    await withStandIn({ identity: true }, async (standIn) => {
      const [dated, v1] = await withEnvironment(standIn, async () => {
        const credential = new DefaultAzureCredential();
        const datedClient = new AzureOpenAI({
          endpoint: standIn.url,
          apiVersion: "2025-01-01-preview",
          azureADTokenProvider: getBearerTokenProvider(credential, scopes.dated),
          maxRetries: 0,
        });
        const apiKey = getBearerTokenProvider(credential, scopes.v1);
        const v1Client = new OpenAI({ baseURL: `${standIn.url}/openai/v1`, apiKey, maxRetries: 0 });
        return [await askFor(datedClient), await askFor(v1Client)];
      });
      expect([dated, v1]).toEqual(["one", "one"]);
      expect(standIn.requests.map(({ path }) => path)).toEqual([
        "/openai/deployments/my-audio/chat/completions",
        v1Path,
      ]);
      expect(standIn.requests.map(({ credential }) => credential.kind)).toEqual(["bearer", "bearer"]);
    });
  });

  it("refuses a token of the other API, an expired one and one of its own invention", async () => {
    let time = Date.now();
    await withStandIn({ identity: true, now: () => new Date(time) }, async (standIn) => {
      const { access_token: token } = tokenBody.parse(
        await (await askForToken(standIn, "https://ai.azure.com")).json(),
      );
      const status = async (path: string, value: string) => {
        const headers = { "api-key": "", authorization: `Bearer ${value}` };
        return (await post(standIn, spokenRequest(), { path, headers })).status;
      };
      expect(await status(v1Path, token)).toBe(200);
      expect(await status(datedPath, token)).toBe(401);
      for (const invented of ["stand-in.invented", "eyJhbGciOiJub25lIn0.e30."])
        expect(await status(v1Path, invented)).toBe(401);
      time += 3_600_000;
      expect(await status(v1Path, token)).toBe(401);
    });
  });

  it("leaves keys as good as they are, on v1 as a Bearer too", async () => {
    await withStandIn({ identity: true }, async (standIn) => {
      const v1Client = new OpenAI({ baseURL: `${standIn.url}/openai/v1`, apiKey: "a-key", maxRetries: 0 });
      const datedClient = new AzureOpenAI({
        endpoint: standIn.url,
        apiVersion: "2025-01-01-preview",
        apiKey: "a-key",
        maxRetries: 0,
      });
      expect([await askFor(v1Client), await askFor(datedClient)]).toEqual(["one", "one"]);
    });
  });

  it("issues no token without its header or for a resource that it does not know", async () => {
    await withStandIn({ identity: true }, async (standIn) => {
      expect((await askForToken(standIn, "https://ai.azure.com", "wrong")).status).toBe(401);
      expect((await askForToken(standIn, "https://vault.azure.net")).status).toBe(400);
    });
  });

  it("is not there unless asked for", async () => {
    await withStandIn({}, async (standIn) => {
      expect(standIn.identity).toBeNull();
      expect((await fetch(`${standIn.url}/msi/token?resource=https://ai.azure.com`)).status).toBe(404);
      const headers = { "api-key": "", authorization: "Bearer anything" };
      expect((await readSpoken(await post(standIn, spokenRequest(), { headers }))).finishReason).toBe("stop");
    });
  });
});

async function askFor(client: OpenAI): Promise<string | undefined> {
  const answer = await client.chat.completions.create({
    model: "my-audio",
    messages: [{ role: "user", content: "Say 'one'." }],
    modalities: ["text", "audio"],
    audio: { voice: "alloy", format: "wav" },
  });
  return answer.choices[0]?.message.audio?.transcript;
}

function askForToken(
  standIn: StandIn,
  resource: string,
  header = standIn.identity?.header ?? "",
): Promise<Response> {
  const query = new URLSearchParams({ "api-version": "2019-08-01", resource });
  return fetch(`${standIn.identity?.endpoint ?? ""}?${query.toString()}`, {
    headers: { "x-identity-header": header },
  });
}

/** The variables that App Service sets, for as long as the action takes. */
async function withEnvironment<T>(standIn: StandIn, action: () => Promise<T>): Promise<T> {
  const before = { ...process.env };
  process.env["IDENTITY_ENDPOINT"] = standIn.identity?.endpoint;
  process.env["IDENTITY_HEADER"] = standIn.identity?.header;
  try {
    return await action();
  } finally {
    for (const name of ["IDENTITY_ENDPOINT", "IDENTITY_HEADER"]) {
      if (before[name] === undefined) Reflect.deleteProperty(process.env, name);
      else process.env[name] = before[name];
    }
  }
}
