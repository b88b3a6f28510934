import { existsSync, readFileSync } from "node:fs";
import { setImmediate } from "node:timers/promises";
import { afterEach, describe, expect, it } from "@jest/globals";
import {
  audioChunk,
  delta,
  ending,
  expiresAt,
  gap,
  pcm,
  spokenChunks,
  textChunks,
  usageChunk,
} from "./answers.js";
import type { ModelEvent } from "../../src/azure/types.js";
import { type Told, call, connectionTo, requestFor, spoken, written } from "./calls.js";
import { type Reply, type ScriptedServer, json, startScriptedServer, stream } from "./scripted-server.js";

const recordingUrl = new URL("../../../shared/azure/recording-text-to-audio-stream.json", import.meta.url);

let server: ScriptedServer | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});

async function ask(reply: Reply, request = requestFor(spoken)): Promise<Told> {
  await server?.close();
  server = await startScriptedServer(reply);
  return call(request, { connection: connectionTo(server.endpoint) });
}

describe("a spoken answer", () => {
  it("hands on words and sound in the order in which they came, and says what is known of the call", async () => {
    const told = await ask(stream(spokenChunks()));
    expect(told.transcript).toBe("Hello there.");
    expect(told.audio.equals(pcm)).toBe(true);
    expect(told.text).toBe("");
    expect(told.events.map((event) => event.type)).toEqual([
      "transcript",
      "transcript",
      "audio",
      "transcript",
      "audio",
      "audio",
    ]);
    expect(told.result).toEqual({
      end: { type: "complete" },
      model: "gpt-audio-1.5",
      providerRequestId: "req-stream",
      completionId: "chatcmpl-1",
      finishReason: null,
      providerAudioId: "audio_1",
      providerAudioExpiresAt: new Date(expiresAt * 1_000),
      usage: { inputText: 11, inputAudio: 7, cachedInput: 2, outputText: 5, outputAudio: 19 },
      timeToFirstAudioMs: expect.any(Number),
      attempts: 1,
      mayBeBilled: true,
    });
  });

  it("hands on whole samples only, whatever the provider cut", async () => {
    const { events } = await ask(stream(spokenChunks()));
    const lengths = events.flatMap((event) => (event.type === "audio" ? [event.bytes.byteLength] : []));
    expect(lengths).toEqual([1_920, 80, 2_800]);
  });

  it("is asked for as text and audio with usage, and streamed", async () => {
    await ask(stream(spokenChunks()), requestFor(spoken, { maxTokens: 200, temperature: 0.5 }));
    expect(JSON.parse(String(server?.requests[0]?.body))).toEqual({
      model: "talker",
      messages: [{ role: "user", content: [{ type: "text", text: "Hello?" }] }],
      modalities: ["text", "audio"],
      audio: { voice: "alloy", format: "pcm16" },
      max_completion_tokens: 200,
      temperature: 0.5,
      stream: true,
      stream_options: { include_usage: true },
    });
  });

  it("was cut by its limit where all its tokens are used and the provider gives no reason", async () => {
    const told = await ask(stream(spokenChunks()), requestFor(spoken, { maxTokens: 24 }));
    expect(told.result.finishReason).toBe("length");
    const longer = await ask(stream(spokenChunks()), requestFor(spoken, { maxTokens: 25 }));
    expect(longer.result.finishReason).toBeNull();
  });

  it("is complete once its expiry came, even if the connection then breaks", async () => {
    const told = await ask(stream(spokenChunks(), "cut"));
    expect(told.result.end).toEqual({ type: "complete" });
  });

  const withoutExpiry = spokenChunks().slice(0, -1);
  it.each([
    ["the connection is cut", stream(withoutExpiry, "cut")],
    ["the stream just ends", stream(withoutExpiry, "silent")],
    ["the stream says that it is done without an expiry", stream(withoutExpiry)],
  ])("is incomplete where %s", async (_, reply) => {
    const told = await ask(reply);
    expect(told.result.end).toMatchObject({
      type: "failed",
      error: { code: "ANSWER_INCOMPLETE", retryable: true },
    });
    expect(told.transcript).toBe("Hello there.");
    expect(told.audio.byteLength).toBe(pcm.byteLength);
    expect(told.result.usage).not.toBeNull();
  });

  it("is incomplete where an id and words came without sound", async () => {
    const chunks = [delta({ audio: { id: "audio_1", transcript: "Hello" } }), usageChunk, ending];
    const told = await ask(stream(chunks));
    expect(told.result.end).toMatchObject({ type: "failed", error: { code: "ANSWER_INCOMPLETE" } });
    expect(told.transcript).toBe("Hello");
  });

  it("is incomplete where neither sound nor words came", async () => {
    const told = await ask(stream([delta({ role: "assistant" }, null), delta({}, "stop"), usageChunk]));
    expect(told.result.end).toMatchObject({
      type: "failed",
      error: { code: "ANSWER_INCOMPLETE", retryable: true },
    });
  });

  it.each([
    ["sound that is no base64", [delta({ audio: { id: "a", data: "@@@@" } }), ending]],
    ["sound that is no text", [delta({ audio: { id: "a", data: 5 } }), ending]],
    ["choices that are no list", [{ choices: "many" }, ending]],
  ])("is incomplete where it holds %s", async (_, chunks) => {
    const told = await ask(stream([delta({ audio: { id: "a", transcript: "Hi" } }), ...chunks]));
    expect(told.result.end).toMatchObject({ type: "failed", error: { code: "ANSWER_INCOMPLETE" } });
    expect(told.transcript).toBe("Hi");
  });

  it("is incomplete where a chunk is no JSON", async () => {
    const told = await ask((response) => response.writeHead(200).end("data: {not json\n\n"));
    expect(told.result.end).toMatchObject({ type: "failed", error: { code: "ANSWER_INCOMPLETE" } });
  });

  it("may be given as text although sound was asked for", async () => {
    const told = await ask(stream(textChunks(["Yes", ", it is."])));
    expect(told.text).toBe("Yes, it is.");
    expect(told.result).toMatchObject({
      end: { type: "complete" },
      finishReason: "stop",
      providerAudioId: null,
      timeToFirstAudioMs: null,
    });
  });

  it("survives fields that nobody knows and chunks that only annotate", async () => {
    const odd = [
      {
        id: "",
        model: "",
        choices: [],
        prompt_filter_results: [{ prompt_index: 0, content_filter_results: {} }],
      },
      { ...gap, choices: [{ index: 0, finish_reason: null, content_filter_offsets: { check_offset: 1 } }] },
      { ...gap, choices: null },
      { ...gap, usage: "none", choices: [{ delta: null }] },
    ];
    const told = await ask(stream(spokenChunks().flatMap((chunk) => [...odd, chunk])));
    expect(told.result).toMatchObject({
      end: { type: "complete" },
      completionId: "chatcmpl-1",
      model: "gpt-audio-1.5",
    });
    expect(told.audio.equals(pcm)).toBe(true);
  });

  (existsSync(recordingUrl) ? it : it.skip)("is read from a recorded stream", async () => {
    const recording = JSON.parse(readFileSync(recordingUrl, "utf8")) as {
      Entries: { ResponseBody: string[]; ResponseHeaders: { "Content-Type": string } }[];
    };
    const body = recording.Entries[0]?.ResponseBody.join("") ?? "";
    const told = await ask((response) => response.writeHead(200).end(body));
    expect(told.transcript).toBe("Hello");
    expect(told.audio.byteLength).toBe(45_600);
    expect(told.result).toMatchObject({
      end: { type: "complete" },
      model: "gpt-audio-1.5",
      providerAudioId: "audio_6a233a354ee081918e294494ab803d56",
      providerAudioExpiresAt: new Date(1_780_697_157_000),
      usage: { inputText: 18, inputAudio: 0, cachedInput: 0, outputText: 5, outputAudio: 19 },
    });
  });
});

describe("a text answer", () => {
  it("is handed on as it comes, and ends with its finish reason", async () => {
    const told = await ask(stream(textChunks(["It ", "is."])), requestFor(written));
    expect(told.events).toEqual([
      { type: "text", delta: "It " },
      { type: "text", delta: "is." },
    ]);
    expect(told.result).toMatchObject({ end: { type: "complete" }, finishReason: "stop" });
  });

  it("takes a refusal for text", async () => {
    const told = await ask(stream([delta({ refusal: "I won't." }), delta({}, "stop")]), requestFor(written));
    expect(told.text).toBe("I won't.");
    expect(told.result.end).toEqual({ type: "complete" });
  });

  it("is incomplete without a finish reason", async () => {
    const told = await ask(stream(textChunks(["It "], null)), requestFor(written));
    expect(told.result.end).toMatchObject({ type: "failed", error: { code: "ANSWER_INCOMPLETE" } });
    expect(told.text).toBe("It ");
  });

  it("counts what the provider left out of its usage as far as it can", async () => {
    const bare = { ...gap, choices: [], usage: { prompt_tokens: 9, completion_tokens: 4 } };
    const told = await ask(stream([delta({ content: "Yes" }, "stop"), bare]), requestFor(written));
    expect(told.result.usage).toEqual({
      inputText: 9,
      inputAudio: 0,
      cachedInput: 0,
      outputText: 4,
      outputAudio: 0,
    });
  });

  it("says length where the provider says so", async () => {
    const told = await ask(stream(textChunks(["It"], "length")), requestFor(written));
    expect(told.result).toMatchObject({ end: { type: "complete" }, finishReason: "length" });
  });
});

describe("a filtered answer", () => {
  it("is filtered however late the provider says so, and whatever it says afterwards", async () => {
    const late = [
      ...textChunks(["Some", "thing"], "stop"),
      delta({}, "content_filter"),
      delta({ content: "!" }, "stop"),
    ];
    const told = await ask(stream(late), requestFor(written));
    expect(told.result.end).toEqual({ type: "filtered" });
    expect(told.result.finishReason).toBe("content_filter");
    expect(told.text).toBe("Something");
  });

  it("is filtered where the stream breaks off with the filter's error", async () => {
    const chunks = [audioChunk(pcm, true), { error: { code: "content_filter", message: "Filtered." } }];
    expect((await ask(stream(chunks))).result.end).toEqual({ type: "filtered" });
  });
});

describe("an error within a stream", () => {
  it.each([
    [{ message: "The server had an error", type: "server_error" }, "PROVIDER_UNAVAILABLE", true],
    [{ message: "Slow down", code: "rate_limit_exceeded" }, "PROVIDER_RATE_LIMITED", true],
    [{ message: "Bad", type: "invalid_request_error" }, "PROVIDER_REJECTED", false],
    [{ message: "Assistant audio audio_1 not found.", code: "audio_not_found" }, "AUDIO_ID_NOT_FOUND", false],
    ["broken", "PROVIDER_UNAVAILABLE", true],
  ])("%j ends the call as %s", async (error, code, retryable) => {
    const told = await ask(stream([audioChunk(pcm, true), { error }, ending]));
    expect(told.result.end).toMatchObject({ type: "failed", error: { code, retryable, status: null } });
    expect(told.audio.byteLength).toBe(pcm.byteLength);
    expect(told.result.attempts).toBe(1);
  });
});

/** One piece after the other, each of which the client reads by itself, and then no end. */
function breaking(chunks: readonly unknown[]): Reply {
  return async (response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    for (const chunk of chunks) {
      response.write(`data: ${JSON.stringify(chunk)}\n\n`);
      await setImmediate();
    }
    response.destroy();
  };
}

describe("the connection", () => {
  it("may break: what came before that is handed on, however slowly it is taken", async () => {
    const words = Array.from({ length: 20 }, (_, index) => `${index} `);
    const scripted = await startScriptedServer(breaking(textChunks(words, null)), json(200, {}));
    server = scripted;
    const taken: string[] = [];
    const onEvent = async (event: ModelEvent) => {
      if (event.type === "text") taken.push(event.delta);
      const { over } = await scripted.request(0);
      await over;
      // Whoever is answered now has noticed that the other connection broke.
      await (await fetch(scripted.endpoint)).text();
    };
    const { result } = await call(requestFor(written), {
      connection: connectionTo(scripted.endpoint),
      options: { onEvent },
    });
    expect(taken).toEqual(words);
    expect(result.end).toMatchObject({ type: "failed", error: { code: "ANSWER_INCOMPLETE" } });
  });

  it("is used again after a stream that was read to its end", async () => {
    server = await startScriptedServer(stream(spokenChunks()));
    const connection = connectionTo(server.endpoint);
    for (let index = 0; index < 4; index += 1) await call(requestFor(spoken), { connection });
    // fetch gives a connection back a moment after the end, so that a second one may be opened, but no third.
    expect(Math.max(...server.requests.map((request) => request.connection))).toBeLessThan(2);
  });

  it("is closed where the provider leaves it open after the end", async () => {
    const told = await ask((response, request) => {
      stream(spokenChunks(), "open")(response, request);
      response.write("data: [DONE]\n\n");
    });
    expect(told.result.end).toEqual({ type: "complete" });
    expect(await server?.requests[0]?.over).toBe(false);
  });
});
