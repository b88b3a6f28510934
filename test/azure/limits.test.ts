import { afterEach, describe, expect, it } from "@jest/globals";
import { untilStopped } from "../../src/azure/interruptions.js";
import { CallClock } from "../../src/azure/timers.js";
import type { CompletionOptions } from "../../src/azure/types.js";
import { audioChunk, pcm, spokenChunks } from "./answers.js";
import { call, connectionTo, requestFor, spoken, written } from "./calls.js";
import { type Reply, type ScriptedServer, json, startScriptedServer, stream } from "./scripted-server.js";

let server: ScriptedServer | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});

const silence: Reply = () => undefined;
const stalled = stream([audioChunk(pcm, true)], "open");
const mp3 = { kind: "audio", voice: "alloy", format: "mp3" } as const;
const timedOut = { type: "failed", error: { code: "PROVIDER_TIMEOUT", retryable: true, status: null } };

describe("the idle limit", () => {
  it.each([
    ["before the headers", silence],
    ["within the answer", stalled],
  ])("closes the connection of a stream that is silent %s", async (_, reply) => {
    server = await startScriptedServer(reply);
    const connection = connectionTo(server.endpoint, { idleTimeoutMs: 2_000 });
    const { result } = await call(requestFor(spoken), { connection });
    expect(result.end).toMatchObject(timedOut);
    expect(result.attempts).toBe(1);
    expect(await (await server.request(0)).over).toBe(false);
  });

  it("keeps what was received", async () => {
    server = await startScriptedServer(stalled);
    const told = await call(requestFor(spoken), {
      connection: connectionTo(server.endpoint, { idleTimeoutMs: 2_000 }),
    });
    expect(told.audio.equals(pcm)).toBe(true);
    expect(told.result.providerAudioId).toBe("audio_1");
  });

  it("does not count the time that the sink takes", async () => {
    server = await startScriptedServer(stream(spokenChunks()));
    let slept = false;
    const onEvent = async () => {
      if (slept) return;
      slept = true;
      await new Promise((resolve) => setTimeout(resolve, 3_000));
    };
    const connection = connectionTo(server.endpoint, { idleTimeoutMs: 2_000 });
    const { result } = await call(requestFor(spoken), { connection, options: { onEvent } });
    expect(result.end).toEqual({ type: "complete" });
  });

  it("does not hold for a whole answer before its headers", async () => {
    server = await startScriptedServer(silence);
    const connection = connectionTo(server.endpoint, { idleTimeoutMs: 20, totalTimeoutMs: 300 });
    const { result } = await call(requestFor(mp3), { connection });
    expect(result.end).toMatchObject({ error: { message: expect.stringContaining("longer than 300 ms") } });
  });

  it("holds for a whole answer once it has begun", async () => {
    server = await startScriptedServer((response) => response.writeHead(200).write("{"));
    const { result } = await call(requestFor(mp3), {
      connection: connectionTo(server.endpoint, { idleTimeoutMs: 2_000 }),
    });
    expect(result.end).toMatchObject(timedOut);
    expect(await (await server.request(0)).over).toBe(false);
  });
});

describe("the total limit", () => {
  it("ends an answer that goes on and on", async () => {
    let timer: NodeJS.Timeout | undefined;
    server = await startScriptedServer((response) => {
      response.writeHead(200);
      timer = setInterval(() => response.write(`data: ${JSON.stringify(audioChunk(pcm))}\n\n`), 10);
      response.on("close", () => clearInterval(timer));
    });
    const connection = connectionTo(server.endpoint, { totalTimeoutMs: 2_000 });
    const told = await call(requestFor(spoken), { connection });
    expect(told.result.end).toMatchObject(timedOut);
    expect(told.audio.byteLength).toBeGreaterThan(0);
    expect(await (await server.request(0)).over).toBe(false);
  });

  it("ends the wait for a whole answer", async () => {
    server = await startScriptedServer(silence);
    const { result } = await call(requestFor(mp3), {
      connection: connectionTo(server.endpoint, { totalTimeoutMs: 2_000 }),
    });
    expect(result.end).toMatchObject(timedOut);
    expect(await (await server.request(0)).over).toBe(false);
  });

  it("leaves no time for a retry that would come after it", async () => {
    server = await startScriptedServer(json(503, {}, { "retry-after": "20" }));
    const { result } = await call(requestFor(spoken), {
      connection: connectionTo(server.endpoint, { totalTimeoutMs: 15_000 }),
    });
    expect(result).toMatchObject({
      end: { type: "failed", error: { code: "PROVIDER_UNAVAILABLE", retryAfterMs: 20_000 } },
      attempts: 1,
    });
  });

  it("may be longer than a timer can run", () => {
    const clock = new CallClock({
      signal: new AbortController().signal,
      idleTimeoutMs: 1e12,
      totalTimeoutMs: 1e12,
    });
    clock.expectBytes();
    expect(clock.stopReason).toBeNull();
    clock.end();
  });
});

describe("cancelling", () => {
  async function cancelled(replies: [Reply, ...Reply[]], more: Partial<CompletionOptions> = {}) {
    server = await startScriptedServer(...replies);
    const controller = new AbortController();
    const running = call(requestFor(spoken), {
      connection: connectionTo(server.endpoint),
      options: { signal: controller.signal, ...more },
    });
    await server.request(0);
    return { server, controller, running };
  }

  it("closes the connection while the headers are waited for", async () => {
    const { server: provider, controller, running } = await cancelled([silence]);
    controller.abort();
    expect((await running).result).toMatchObject({
      end: { type: "cancelled" },
      attempts: 1,
      mayBeBilled: true,
    });
    expect(await provider.requests[0]?.over).toBe(false);
  });

  it("closes the connection within the answer, and hands on nothing more", async () => {
    const controller = new AbortController();
    server = await startScriptedServer(stream(spokenChunks(), "open"));
    let handedOn = 0;
    const onEvent = () => {
      handedOn += 1;
      controller.abort();
      return Promise.resolve();
    };
    const connection = connectionTo(server.endpoint);
    const { result } = await call(requestFor(spoken), {
      connection,
      options: { signal: controller.signal, onEvent },
    });
    expect(result).toMatchObject({ end: { type: "cancelled" }, completionId: "chatcmpl-1" });
    expect(handedOn).toBe(1);
    expect(await (await server.request(0)).over).toBe(false);
  });

  it("ends the wait for a retry", async () => {
    const {
      server: provider,
      controller,
      running,
    } = await cancelled([json(503, {}, { "retry-after": "15" })]);
    await provider.requests[0]?.over;
    controller.abort();
    expect((await running).result).toMatchObject({ end: { type: "cancelled" }, attempts: 1 });
  });

  it("ends the wait for a token", async () => {
    const controller = new AbortController();
    const getToken = () => {
      queueMicrotask(() => controller.abort());
      return new Promise<null>((resolve) => controller.signal.addEventListener("abort", () => resolve(null)));
    };
    const { result } = await call(requestFor(spoken), {
      connection: connectionTo("http://127.0.0.1:9", { auth: { kind: "keyless" } }),
      client: { credential: { getToken } },
      options: { signal: controller.signal },
    });
    expect(result).toMatchObject({
      end: { type: "cancelled" },
      attempts: 0,
      mayBeBilled: false,
      providerRequestId: null,
    });
  });

  it("sends nothing where it came first", async () => {
    server = await startScriptedServer(silence);
    const { result } = await call(requestFor(written), {
      connection: connectionTo(server.endpoint),
      options: { signal: AbortSignal.abort() },
    });
    expect(result).toMatchObject({ end: { type: "cancelled" }, attempts: 0 });
    expect(server.requests).toEqual([]);
  });

  it("ends a wait that begins after it", async () => {
    const endless = new Promise(() => undefined);
    await expect(untilStopped(endless, AbortSignal.abort())).rejects.toMatchObject({ name: "CallStopped" });
  });

  it("comes too late for an answer that was said whole", async () => {
    const controller = new AbortController();
    server = await startScriptedServer((response, request) => {
      stream(spokenChunks(), "open")(response, request);
      response.write("data: [DONE]\n\n");
    });
    let toCome = 6;
    const onEvent = () => {
      toCome -= 1;
      if (toCome === 0) setImmediate(() => controller.abort());
      return Promise.resolve();
    };
    const connection = connectionTo(server.endpoint);
    const { result } = await call(requestFor(spoken), {
      connection,
      options: { signal: controller.signal, onEvent },
    });
    expect(result.end).toEqual({ type: "complete" });
  });
});

describe("a failure of the caller's own", () => {
  it("in the sink ends the call with that error and closes the connection", async () => {
    server = await startScriptedServer(stalled);
    const options = { onEvent: () => Promise.reject(new Error("disk full")) };
    await expect(
      call(requestFor(spoken), { connection: connectionTo(server.endpoint), options }),
    ).rejects.toThrow("disk full");
    expect(await (await server.request(0)).over).toBe(false);
  });

  it("before the call sends nothing", async () => {
    server = await startScriptedServer(silence);
    const options = { onBegin: () => Promise.reject(new Error("no row")) };
    await expect(
      call(requestFor(spoken), { connection: connectionTo(server.endpoint), options }),
    ).rejects.toThrow("no row");
    expect(server.requests).toEqual([]);
  });

  it("in a source of audio sends nothing", async () => {
    server = await startScriptedServer(silence);
    const open = () => Promise.reject(Object.assign(new Error("gone"), { code: "ECONNREFUSED" }));
    const parts = [{ type: "audio", format: "wav", byteLength: 4, open } as const];
    const request = requestFor(written, { messages: [{ role: "user", parts }] });
    await expect(call(request, { connection: connectionTo(server.endpoint) })).rejects.toThrow("gone");
    expect(server.requests).toEqual([]);
  });
});
