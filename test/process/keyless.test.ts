import { describe, expect, it } from "@jest/globals";
import type { Env } from "../../src/config/env.js";
import type { StandIn } from "../../src/stand-in/stand-in.js";
import { askByText, startedConversation } from "../helpers/operations.js";
import { ParleyProcess, temporaryFolder, testStandIn } from "../helpers/parley-process.js";

/** What a machine with a managed identity has in its environment, and no key. */
function identitySettings(standIn: StandIn): Env {
  return {
    AZURE_OPENAI_ENDPOINT: standIn.url,
    AZURE_OPENAI_DEPLOYMENT_NAME: "test-deployment",
    IDENTITY_ENDPOINT: standIn.identity?.endpoint,
    IDENTITY_HEADER: standIn.identity?.header,
  };
}

describe("a server without a key", () => {
  // The stand-in takes a token only where it was issued for the API's own audience.
  it.each([
    ["2025-01-01-preview", "/openai/deployments/test-deployment/chat/completions"],
    ["v1", "/openai/v1/chat/completions"],
  ])("signs in with the identity of its machine to the API %s", async (version, path) => {
    const standIn = await testStandIn({ identity: true });
    const env = { ...identitySettings(standIn), OPENAI_API_VERSION: version, LOG_LEVEL: "trace" };
    const parley = await ParleyProcess.start(await temporaryFolder(), env);
    const conversationId = await startedConversation(parley);
    for (const text of ["Say 'one'.", "Say 'two'."])
      expect(await askByText(parley, conversationId, text)).toMatchObject({ status: "COMPLETED" });
    expect(standIn.requests.map((request) => [request.path, request.status])).toEqual([
      [path, 200],
      [path, 200],
    ]);
    const [first, second] = standIn.requests.map((request) => request.credential);
    expect(first?.kind).toBe("bearer");
    // The token is kept while it is valid.
    expect(second).toEqual(first);
    const { stdout, stderr } = await parley.stop();
    const token = first?.kind === "bearer" ? first.value : "";
    expect(token).not.toBe("");
    expect(stdout + stderr).not.toContain(token);
    expect(stdout + stderr).not.toContain(standIn.identity?.header);
  });

  it("that is refused ends the turn soon, as a failed sign-in, without a call to the model", async () => {
    const standIn = await testStandIn({ identity: true });
    const env = { ...identitySettings(standIn), IDENTITY_HEADER: "wrong" };
    const parley = await ParleyProcess.start(await temporaryFolder(), env);
    const turn = await askByText(parley, await startedConversation(parley), "Say 'one'.", { waitMs: 15_000 });
    expect(turn).toMatchObject({
      status: "FAILED",
      error: { code: "PROVIDER_AUTH_FAILED", retryable: false },
      assistantMessage: null,
    });
    expect(standIn.requests).toEqual([]);
  });
});
