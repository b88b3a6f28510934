import { afterEach, describe, expect, it } from "@jest/globals";
import { receiveWhole } from "../../src/azure/receive.js";
import { CallClock } from "../../src/azure/timers.js";
import { expiresAt, pcm, usage } from "./answers.js";
import { type Told, call, connectionTo, requestFor } from "./calls.js";
import { type Reply, type ScriptedServer, json, startScriptedServer } from "./scripted-server.js";

let server: ScriptedServer | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});

const request = requestFor({ kind: "audio", voice: "echo", format: "mp3" });

async function ask(reply: Reply): Promise<Told> {
  server = await startScriptedServer(reply);
  return call(request, { connection: connectionTo(server.endpoint) });
}

function answer(message: object, finishReason: string | null = "stop"): object {
  return {
    id: "chatcmpl-2",
    model: "gpt-audio",
    choices: [{ index: 0, message, finish_reason: finishReason }],
    usage,
  };
}
const file = pcm.subarray(0, 1_001);
const audio = {
  id: "audio_2",
  data: file.toString("base64"),
  expires_at: expiresAt,
  transcript: "Hello there.",
};

describe("an answer in a format that the provider does not stream", () => {
  it("is a text answer where sound is missing and words were written", async () => {
    const unspoken = { id: "audio_2", data: "", transcript: "" };
    const { result } = await ask(
      json(200, answer({ role: "assistant", content: "In words.", audio: unspoken })),
    );
    expect(result.end).toEqual({ type: "complete" });
  });

  it("is kept although its labels and counts are odd, without those", async () => {
    const odd = { ...answer({ role: "assistant", content: null, audio }), model: "a\0b" };
    const { result } = await ask(json(200, { ...odd, usage: { prompt_tokens: 3_000_000_000 } }));
    expect(result).toMatchObject({ end: { type: "complete" }, model: null });
    expect(result.usage?.inputText ?? 0).toBe(0);
  });

  it("is asked for whole", async () => {
    await ask(json(200, answer({ role: "assistant", content: null, audio })));
    const body = JSON.parse(String(server?.requests[0]?.body)) as object;
    expect(body).toMatchObject({ modalities: ["text", "audio"], audio: { voice: "echo", format: "mp3" } });
    expect(body).not.toHaveProperty("stream");
    expect(body).not.toHaveProperty("stream_options");
  });

  it("hands on its words and the file's own bytes", async () => {
    const reply = json(200, answer({ content: null, refusal: null, audio }), { "x-request-id": "req-x" });
    const told = await ask(reply);
    expect(told.transcript).toBe("Hello there.");
    expect(told.audio.equals(file)).toBe(true);
    expect(told.result).toEqual({
      end: { type: "complete" },
      model: "gpt-audio",
      providerRequestId: "req-x",
      completionId: "chatcmpl-2",
      finishReason: "stop",
      providerAudioId: "audio_2",
      providerAudioExpiresAt: new Date(expiresAt * 1_000),
      usage: { inputText: 11, inputAudio: 7, cachedInput: 2, outputText: 5, outputAudio: 19 },
      timeToFirstAudioMs: expect.any(Number),
      attempts: 1,
      mayBeBilled: true,
    });
  });

  it("may be text, or a refusal", async () => {
    expect((await ask(json(200, answer({ content: "As text." })))).text).toBe("As text.");
    await server?.close();
    const told = await ask(json(200, answer({ content: null, refusal: "No." })));
    expect(told).toMatchObject({ text: "No.", result: { end: { type: "complete" } } });
  });

  it("is complete without an expiry: its end is the end of its JSON", async () => {
    const told = await ask(json(200, answer({ audio: { ...audio, expires_at: null } })));
    expect(told.result).toMatchObject({ end: { type: "complete" }, providerAudioExpiresAt: null });
  });

  it("hands on nothing of what was filtered", async () => {
    const told = await ask(json(200, answer({ content: null, audio }, "content_filter")));
    expect(told.result.end).toEqual({ type: "filtered" });
    expect(told.events).toEqual([]);
  });

  it.each([
    ["has an id and no sound", answer({ audio: { ...audio, data: "" } })],
    ["has nothing", answer({ content: null })],
    ["has no choices", { id: "chatcmpl-2" }],
    ["is no object", [1, 2]],
  ])("is incomplete where it %s", async (_, body) => {
    const told = await ask(json(200, body));
    expect(told.result.end).toMatchObject({
      type: "failed",
      error: { code: "ANSWER_INCOMPLETE", retryable: true },
    });
  });

  it.each<[string, Reply]>([
    ["is cut", (response) => response.writeHead(200).write('{"id":', () => response.destroy())],
    ["is no JSON", (response) => response.writeHead(200).end("<html>")],
    ["is empty", (response) => response.writeHead(200).end()],
  ])("is incomplete where its body %s", async (_, reply) => {
    const told = await ask(reply);
    expect(told.result.end).toMatchObject({ type: "failed", error: { code: "ANSWER_INCOMPLETE" } });
  });

  it("is given up as soon as it is over the limit", async () => {
    const clock = new CallClock({
      signal: new AbortController().signal,
      idleTimeoutMs: 5_000,
      totalTimeoutMs: 5_000,
    });
    let pulled = 0;
    let closed = false;
    const endless = new ReadableStream<Uint8Array>({
      pull: (controller) => {
        pulled += 1;
        controller.enqueue(new Uint8Array(1_000));
      },
      cancel: () => {
        closed = true;
      },
    });
    await expect(receiveWhole(new Response(endless), clock, 10_000)).rejects.toThrow("over 10000 bytes");
    clock.end();
    expect(pulled).toBeLessThan(15);
    expect(closed).toBe(true);
  });
});
