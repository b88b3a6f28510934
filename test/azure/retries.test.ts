import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { defaultRetryPolicy, readRetryAfterMs, retryDelayMs } from "../../src/azure/retry.js";
import type { CompletionClientOptions } from "../../src/azure/client.js";
import { spokenChunks } from "./answers.js";
import { type Told, call, connectionTo, requestFor, spoken } from "./calls.js";
import { type Reply, type ScriptedServer, json, startScriptedServer, stream } from "./scripted-server.js";

const policy = { maxAttempts: 3, baseDelayMs: 500, maxDelayMs: 1_500, longestRetryAfterMs: 20_000 };
const failed = { attempt: 1, unanswered: true, retryAfterMs: null, remainingMs: 60_000 };

describe("the decision to ask again", () => {
  it.each([
    ["backs off by up to the base delay", {}, 0.5, 250],
    ["backs off by up to twice as much the second time", { attempt: 2 }, 0.5, 500],
    ["may do so at once", {}, 0, 0],
    ["waits as long as the provider says, and a little", { retryAfterMs: 3_000 }, 0.5, 3_250],
    ["waits for the longest time that is worth it", { retryAfterMs: 20_000 }, 0, 20_000],
    ["is no where the provider says longer", { retryAfterMs: 20_001 }, 0, null],
    ["is no where the model may have answered", { unanswered: false }, 0, null],
    ["is no after the last attempt", { attempt: 3 }, 0, null],
    ["is no where the call's time would be over", { retryAfterMs: 3_000, remainingMs: 3_000 }, 0, null],
  ])("%s", (_, more, random, expected) => {
    expect(retryDelayMs({ ...failed, ...more }, policy, () => random)).toBe(expected);
  });

  it("never waits longer than the cap without being told, nor shorter than it is told", () => {
    const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 40 }),
        random,
        fc.option(fc.nat(20_000)),
        (attempt, chance, retryAfterMs) => {
          const delayMs = retryDelayMs(
            { ...failed, attempt, retryAfterMs },
            { ...policy, maxAttempts: 50 },
            () => chance,
          );
          expect(delayMs).toBeGreaterThanOrEqual(retryAfterMs ?? 0);
          expect(delayMs).toBeLessThanOrEqual(retryAfterMs === null ? 1_500 : retryAfterMs + 500);
        },
      ),
    );
  });
});

describe("what the provider says about coming back", () => {
  const now = Date.parse("2026-11-22T10:00:00Z");
  it.each<[Record<string, string>, number | null]>([
    [{}, null],
    [{ "retry-after": "7" }, 7_000],
    [{ "retry-after": "0" }, 0],
    [{ "retry-after-ms": "1500", "retry-after": "7" }, 1_500],
    [{ "retry-after-ms": "soon", "retry-after": "7" }, 7_000],
    [{ "retry-after": "Sun, 22 Nov 2026 10:00:30 GMT" }, 30_000],
    [{ "retry-after": "Sun, 22 Nov 2026 09:00:00 GMT" }, 0],
    [{ "retry-after": "never" }, null],
  ])("%j is %j ms", (headers, expected) => {
    expect(readRetryAfterMs(new Headers(headers), now)).toEqual(expected);
  });
});

describe("a request that the model can't have answered", () => {
  let server: ScriptedServer | undefined;
  afterEach(async () => {
    await server?.close();
    server = undefined;
  });

  async function ask(
    replies: [Reply, ...Reply[]],
    client: Partial<CompletionClientOptions> = {},
  ): Promise<Told> {
    server = await startScriptedServer(...replies);
    return call(requestFor(spoken), { connection: connectionTo(server.endpoint), client });
  }

  it.each([429, 503])("is sent again after %d, and the log tells it", async (status) => {
    const refusal = json(
      status,
      { error: { message: "Secret words", code: "x" } },
      { "retry-after-ms": "5", "x-request-id": "r-1" },
    );
    const told = await ask([refusal, stream(spokenChunks())]);
    expect(told.result).toMatchObject({
      end: { type: "complete" },
      attempts: 2,
      providerRequestId: "req-stream",
    });
    expect(told.log).toEqual([
      {
        fields: { attempt: 1, code: expect.any(String), status, delayMs: 5, providerRequestId: "r-1" },
        message: "the model is asked again",
      },
    ]);
    expect(server?.requests[0]?.body.equals(server.requests[1]?.body ?? Buffer.of())).toBe(true);
  });

  it("is given up after three attempts, and says when to come back", async () => {
    const told = await ask([json(429, { error: {} }, { "retry-after-ms": "3" })]);
    expect(told.result).toMatchObject({
      end: {
        type: "failed",
        error: { code: "PROVIDER_RATE_LIMITED", retryable: true, retryAfterMs: 3, status: 429 },
      },
      attempts: 3,
    });
    expect(server?.requests.length).toBe(3);
    expect(told.log.length).toBe(2);
  });

  it.each([
    [
      "the provider wants more patience than there is",
      json(429, { error: {} }, { "retry-after": "21" }),
      21_000,
      true,
    ],
    [
      "the request is over the quota",
      json(429, { error: {} }, { "retry-after": "86400" }),
      86_400_000,
      false,
    ],
    [
      "the time is told in words",
      json(429, { statusCode: 429, message: "Try again in 30 seconds." }),
      30_000,
      true,
    ],
  ])("is not sent again where %s", async (_, reply, retryAfterMs, retryable) => {
    const told = await ask([reply]);
    expect(told.result).toMatchObject({
      end: { type: "failed", error: { retryAfterMs, retryable } },
      attempts: 1,
    });
    expect(told.log).toEqual([]);
  });

  it.each([500, 502, 504, 408, 400])(
    "may have been answered where the status is %d: it is not sent again",
    async (status) => {
      const told = await ask([json(status, { error: {} }), stream(spokenChunks())]);
      expect(told.result).toMatchObject({ end: { type: "failed" }, attempts: 1 });
    },
  );

  it("is announced once, before it is sent for the first time", async () => {
    server = await startScriptedServer(json(503, {}), stream(spokenChunks()));
    const sent: number[] = [];
    const onBegin = () => Promise.resolve(void sent.push(server?.requests.length ?? -1));
    const { result } = await call(requestFor(spoken), {
      connection: connectionTo(server.endpoint),
      options: { onBegin },
    });
    expect(result.attempts).toBe(2);
    expect(sent).toEqual([0]);
  });

  it("is sent again where the connection is refused", async () => {
    const endpoint = await closedEndpoint();
    const told = await call(requestFor(spoken), { connection: connectionTo(endpoint) });
    expect(told.result).toMatchObject({
      end: { type: "failed", error: { code: "PROVIDER_UNAVAILABLE", retryable: true, status: null } },
      attempts: defaultRetryPolicy.maxAttempts,
    });
    expect(told.log.map((line) => line.fields["status"])).toEqual([null, null]);
  });
});

async function closedEndpoint(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return `http://127.0.0.1:${port}`;
}
