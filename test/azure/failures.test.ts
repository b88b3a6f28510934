import { afterEach, describe, expect, it } from "@jest/globals";
import { translateError } from "../../src/azure/errors.js";
import type { ModelConnection, ModelFailure } from "../../src/azure/types.js";
import { call, connectionTo, requestFor, spoken } from "./calls.js";
import { type Reply, type ScriptedServer, json, startScriptedServer } from "./scripted-server.js";

let server: ScriptedServer | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});

async function failureOf(reply: Reply, more: Partial<ModelConnection> = {}): Promise<ModelFailure> {
  server = await startScriptedServer(reply);
  const connection = connectionTo(server.endpoint, more);
  const { result } = await call(requestFor(spoken), { connection, client: { retry: { maxAttempts: 1 } } });
  if (result.end.type !== "failed") throw new Error(`The call ended as ${result.end.type}.`);
  return result.end.error;
}

const error = (code: string, message = "Sorry.", more: object = {}) => ({
  error: { code, message, ...more },
});
const filterResult = {
  hate: { filtered: false, severity: "safe" },
  violence: { filtered: true, severity: "high" },
};
const innererror = { code: "ResponsibleAIPolicyViolation", content_filter_result: filterResult };
const inner_error = { code: "ResponsibleAIPolicyViolation", content_filter_results: filterResult };

describe("a refusal of the provider's", () => {
  it.each<[number, unknown, string, boolean, RegExp]>([
    [400, error("content_filter", "Filtered.", { innererror }), "CONTENT_FILTERED", false, /\(violence\)/],
    [400, error("content_filter", "Filtered.", { inner_error }), "CONTENT_FILTERED", false, /\(violence\)/],
    [400, error("content_filter"), "CONTENT_FILTERED", false, /other words/],
    [400, error("other", "Filtered.", { innererror }), "CONTENT_FILTERED", false, /violence/],
    [400, error("context_length_exceeded"), "CONTEXT_TOO_LONG", false, /HISTORY_MAX_TOKENS/],
    [
      400,
      error("audio_not_found", "Assistant audio audio_1 not found."),
      "AUDIO_ID_NOT_FOUND",
      false,
      /audio id/,
    ],
    [
      400,
      error("unsupported_format", "This model does not support it."),
      "PROVIDER_REJECTED",
      false,
      /: This model does/,
    ],
    [400, error("OperationNotSupported"), "PROVIDER_REJECTED", false, /AZURE_OPENAI_DEPLOYMENT_NAME/],
    [400, "<html>Bad</html>", "PROVIDER_REJECTED", false, /^The provider rejected the request\.$/],
    [400, { error: "A bare sentence" }, "PROVIDER_REJECTED", false, /A bare sentence/],
    [400, { error: { message: 5, code: [] } }, "PROVIDER_REJECTED", false, /rejected/],
    [422, error("x", "Unknown field."), "PROVIDER_REJECTED", false, /Unknown field/],
    [413, error("x"), "PROVIDER_REJECTED", false, /too large/],
    [
      401,
      error("401", "Access denied due to invalid key."),
      "PROVIDER_AUTH_FAILED",
      false,
      /AZURE_OPENAI_API_KEY/,
    ],
    [
      401,
      { statusCode: 401, message: "Unauthorized." },
      "PROVIDER_AUTH_FAILED",
      false,
      /AZURE_OPENAI_API_KEY/,
    ],
    [401, error("PermissionDenied"), "PROVIDER_AUTH_FAILED", false, /AZURE_OPENAI_API_KEY/],
    [403, error("AuthenticationTypeDisabled"), "PROVIDER_AUTH_FAILED", false, /unset AZURE_OPENAI_API_KEY/],
    [
      403,
      { statusCode: 403, message: "Denied by Virtual Network/Firewall rules." },
      "PROVIDER_AUTH_FAILED",
      false,
      /network/,
    ],
    [
      404,
      error("DeploymentNotFound"),
      "PROVIDER_DEPLOYMENT_NOT_FOUND",
      false,
      /"talker".*AZURE_OPENAI_DEPLOYMENT_NAME/,
    ],
    [404, error("404", "Resource not found"), "PROVIDER_DEPLOYMENT_NOT_FOUND", false, /OPENAI_API_VERSION/],
    [408, error("Timeout"), "PROVIDER_TIMEOUT", true, /again/],
    [429, error("429", "Slow down."), "PROVIDER_RATE_LIMITED", true, /later/],
    [429, error("429", "Please retry after 86400 seconds."), "PROVIDER_RATE_LIMITED", false, /quota/],
    [429, error("insufficient_quota"), "PROVIDER_RATE_LIMITED", false, /quota/],
    [500, error("server_error"), "PROVIDER_UNAVAILABLE", true, /500/],
    [502, "<html>", "PROVIDER_UNAVAILABLE", true, /502/],
    [503, error("x"), "PROVIDER_UNAVAILABLE", true, /503/],
    [307, "", "PROVIDER_REJECTED", false, /AZURE_OPENAI_ENDPOINT/],
  ])("%d %j is told as %s (retryable: %j)", async (status, body, code, retryable, message) => {
    const reply: Reply =
      typeof body === "string"
        ? (response) => response.writeHead(status, { location: "http://127.0.0.1:9/" }).end(body)
        : json(status, body);
    const failure = await failureOf(reply);
    expect(failure).toMatchObject({ code, retryable, status });
    expect(failure.message).toMatch(message);
  });

  it("bears the provider's request id", async () => {
    server = await startScriptedServer(
      json(400, error("x"), { "apim-request-id": "apim-1", "x-request-id": "x-1" }),
    );
    const { result } = await call(requestFor(spoken), { connection: connectionTo(server.endpoint) });
    expect(result).toMatchObject({
      providerRequestId: "apim-1",
      attempts: 1,
      mayBeBilled: false,
      model: null,
      usage: null,
    });
  });

  it("is quoted as one line of at most 300 characters", async () => {
    const { message } = await failureOf(json(400, error("x", `Line one\n\u0007${"y".repeat(1_000)}`)));
    expect(message).toMatch(/^The provider rejected the request: Line one y+$/);
    expect(message.length).toBe("The provider rejected the request: ".length + 300);
  });

  it("is read no further than an error needs", async () => {
    const failure = await failureOf((response) => {
      response.writeHead(500);
      const more = () => {
        while (!response.destroyed && response.write("x".repeat(10_000)));
      };
      response.on("drain", more);
      more();
    });
    expect(failure).toMatchObject({ code: "PROVIDER_UNAVAILABLE", status: 500 });
    expect(await server?.requests[0]?.over).toBe(false);
  });

  it("keeps its status where the connection breaks within the explanation", async () => {
    const failure = await failureOf((response) =>
      response.writeHead(404).write('{"error":', () => response.destroy()),
    );
    expect(failure).toMatchObject({ code: "PROVIDER_DEPLOYMENT_NOT_FOUND", status: 404 });
  });
});

describe("an error that is not the provider's", () => {
  it("is left untranslated", () => {
    const connection = connectionTo("https://one.openai.azure.com");
    expect(translateError(new TypeError("a mistake of this program"), connection, 0)).toBeNull();
  });
});

describe("a connection without a response", () => {
  it("is not asked again where the request may have been heard", async () => {
    server = await startScriptedServer((response) => response.destroy());
    const { result } = await call(requestFor(spoken), { connection: connectionTo(server.endpoint) });
    expect(result.end).toMatchObject({
      type: "failed",
      error: { code: "PROVIDER_UNAVAILABLE", retryable: true, status: null },
    });
    expect(result.attempts).toBe(1);
    expect(server.requests.length).toBe(1);
  });

  it("names the host and what happened, and no more", async () => {
    const failure = await failureOf((response) => response.destroy());
    expect(failure.message).toMatch(
      /^No answer from 127\.0\.0\.1:\d+ \(UND_ERR_SOCKET\)\. Check AZURE_OPENAI_ENDPOINT/,
    );
  });
});
