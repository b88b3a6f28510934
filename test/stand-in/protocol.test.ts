import { describe, expect, it } from "@jest/globals";
import { Ajv } from "ajv";
import OpenAI, { AzureOpenAI } from "openai";
import { z } from "zod";
import {
  collect,
  deltaOf,
  inputAudio,
  parseChunk,
  post,
  readChunks,
  readError,
  readEvents,
  readReference,
  readSpoken,
  readWhole,
  silentWav,
  spokenRequest,
  streamRequest,
  v1Path,
  withStandIn,
  type WireChunk,
} from "./support.js";

const spec = z
  .looseObject({ components: z.unknown() })
  .safeParse(await readReference("openapi-v1.json")).data;
const recording = z
  .object({ Entries: z.array(z.object({ ResponseBody: z.array(z.string()) })) })
  .safeParse(await readReference("recording-text-to-audio-stream.json")).data;

const question = { role: "user" as const, content: "Is a golden retriever a good family dog?" };

describe("the provider's own client", () => {
  it("gets words and a WAV file from the dated API", async () => {
    await withStandIn({}, async (standIn) => {
      const client = new AzureOpenAI({
        endpoint: standIn.url,
        apiKey: "any",
        apiVersion: "2025-01-01-preview",
        deployment: "my-audio",
        maxRetries: 0,
      });
      const answer = await client.chat.completions.create({
        model: "my-audio",
        messages: [question],
        modalities: ["text", "audio"],
        audio: { voice: "alloy", format: "wav" },
      });
      expect(answer.choices[0]?.message.content).toBeNull();
      expect(answer.choices[0]?.message.audio?.transcript).toMatch(/^Yes\. A golden retriever/);
      const wav = Buffer.from(answer.choices[0]?.message.audio?.data ?? "", "base64");
      expect([wav.toString("latin1", 0, 4), wav.readUInt32LE(24), wav.readUInt32LE(40)]).toEqual([
        "RIFF",
        24_000,
        48_000,
      ]);
      expect(standIn.requests[0]).toMatchObject({
        apiVersion: "2025-01-01-preview",
        credential: { kind: "api-key" },
      });
    });
  });

  it("gets a stream from the v1 API", async () => {
    await withStandIn({}, async (standIn) => {
      const client = new OpenAI({ baseURL: `${standIn.url}/openai/v1/`, apiKey: "secret", maxRetries: 0 });
      const stream = await client.chat.completions.create({
        model: "my-audio",
        messages: [question],
        modalities: ["text", "audio"],
        audio: { voice: "alloy", format: "pcm16" },
        stream: true,
      });
      const chunks: WireChunk[] = [];
      for await (const chunk of stream) chunks.push(parseChunk(JSON.stringify(chunk)));
      expect(collect(chunks)).toMatchObject({ finishReasons: [], usage: null });
      expect(collect(chunks).transcript).toMatch(/^Yes\./);
      expect(standIn.requests[0]?.credential).toEqual({ kind: "bearer", value: "secret" });
    });
  });
});

describe("a streamed spoken answer", () => {
  it("comes in the order of the wire, with chunks without choices in between", async () => {
    await withStandIn({}, async (standIn) => {
      const events = await readEvents(await post(standIn, streamRequest(), { path: v1Path }));
      expect(events.at(-1)).toBe("[DONE]");
      const chunks = events.slice(0, -1).map(parseChunk);
      expect(orderOf(chunks)).toEqual([
        "role",
        "id+transcript",
        "transcript",
        "id+data",
        "data",
        "usage",
        "expires_at",
      ]);
      expect(chunks.filter((chunk) => chunk.choices === undefined).length).toBeGreaterThan(4);
      expect(chunks.at(-1)?.choices?.[0]).not.toHaveProperty("finish_reason");
    });
  });

  it("has at most 19,200 bytes of sound in a chunk and one audio id", async () => {
    await withStandIn({}, async (standIn) => {
      const chunks = await readChunks(await post(standIn, streamRequest()));
      const sizes = chunks.map(
        (chunk) => Buffer.from(deltaOf(chunk)?.audio?.data ?? "", "base64").byteLength,
      );
      expect(sizes.filter((size) => size > 0)).toEqual([19_200, 19_200, 9600]);
      expect(collect(chunks)).toMatchObject({
        transcript: "one two three",
        audioIds: [expect.stringMatching(/^audio_[0-9a-f]{32}$/)],
      });
    });
  });

  it("begins on the dated API with the filter's view of the prompt, under no id", async () => {
    await withStandIn({}, async (standIn) => {
      const [first] = await readChunks(await post(standIn, streamRequest()));
      expect(first).toMatchObject({ id: "", choices: [], prompt_filter_results: [{ prompt_index: 0 }] });
    });
  });

  it("tells usage and pads its chunks only as asked", async () => {
    await withStandIn({}, async (standIn) => {
      const stream_options = { include_usage: false, include_obfuscation: false };
      const chunks = await readChunks(
        await post(standIn, streamRequest({ stream_options }), { path: v1Path }),
      );
      expect(chunks.filter((chunk) => "usage" in chunk || "obfuscation" in chunk)).toEqual([]);
    });
  });

  it("is cut by max_completion_tokens and then costs exactly so many", async () => {
    await withStandIn({}, async (standIn) => {
      const messages = [{ role: "user", content: "Count to 100" }];
      const chunks = await readChunks(
        await post(standIn, streamRequest({ messages, max_completion_tokens: 10 })),
      );
      const { usage, pcm, expiresAt, finishReasons } = collect(chunks);
      expect(usage?.completion_tokens).toBe(10);
      expect(pcm.byteLength).toBe((usage?.completion_tokens_details.audio_tokens ?? 0) * 2400);
      expect(expiresAt).not.toBeNull();
      expect(finishReasons).toEqual([]);
    });
  });

  (recording === undefined ? it.skip : it)("has the shape of a recorded one, key by key", async () => {
    const recorded = (recording?.Entries[0]?.ResponseBody ?? [])
      .map((line) => line.replace(/^data: /, "").trim())
      .filter((payload) => payload !== "[DONE]")
      .map(parseChunk);
    await withStandIn({}, async (standIn) => {
      const messages = [{ role: "user", content: "Say the exact word 'hello' and nothing else." }];
      const chunks = await readChunks(await post(standIn, streamRequest({ messages }), { path: v1Path }));
      expect(orderOf(chunks)).toEqual(orderOf(recorded));
      expect([...new Set(chunks.map(shapeOf))].sort()).toEqual([...new Set(recorded.map(shapeOf))].sort());
      expect(collect(chunks).usage?.prompt_tokens).toBe(collect(recorded).usage?.prompt_tokens);
    });
  });
});

describe("a streamed text answer", () => {
  const request = {
    messages: [{ role: "user", content: [inputAudio(silentWav(2400))] }],
    modalities: ["text"],
  };

  it("ends with a finish_reason", async () => {
    await withStandIn({}, async (standIn) => {
      const { text, finishReasons, pcm, usage } = collect(
        await readChunks(await post(standIn, streamRequest(request))),
      );
      expect(text).toBe(
        "I received a spoken message of 2.4 seconds, but I am Parley's stand-in and cannot hear yet.",
      );
      expect(finishReasons).toEqual(["stop"]);
      expect(pcm.byteLength).toBe(0);
      expect(usage?.prompt_tokens_details.audio_tokens).toBe(24);
    });
  });

  it("ends with length where max_completion_tokens cuts it", async () => {
    await withStandIn({}, async (standIn) => {
      const response = await post(standIn, streamRequest({ ...request, max_completion_tokens: 3 }));
      const { text, finishReasons, usage } = collect(await readChunks(response));
      expect([text, finishReasons, usage?.completion_tokens]).toEqual(["I received ", ["length"], 3]);
    });
  });
});

describe("a whole answer", () => {
  it("tells usage by the measured rates", async () => {
    await withStandIn({}, async (standIn) => {
      const first = await readSpoken(await post(standIn, spokenRequest()));
      expect(first.usage.completion_tokens_details.audio_tokens).toBe(20);
      const messages = [
        { role: "user", content: "Say 'one two three'." },
        { role: "assistant", audio: { id: first.audio.id } },
        { role: "user", content: [inputAudio(silentWav(3000))] },
      ];
      const second = await readSpoken(await post(standIn, spokenRequest({ messages })));
      expect(second.usage.prompt_tokens_details.audio_tokens).toBe(20 + 30);
    });
  });

  it("says length where max_completion_tokens cut it", async () => {
    await withStandIn({}, async (standIn) => {
      const whole = await readSpoken(await post(standIn, spokenRequest({ max_completion_tokens: 5 })));
      expect([whole.finishReason, whole.usage.completion_tokens]).toEqual(["length", 5]);
    });
  });

  it("bears the provider's headers", async () => {
    await withStandIn({}, async (standIn) => {
      const { headers } = await post(standIn, spokenRequest());
      for (const name of ["apim-request-id", "x-request-id", "x-ms-region", "x-ratelimit-remaining-tokens"]) {
        expect(headers.get(name)).toBeTruthy();
      }
    });
  });
});

describe("an audio id", () => {
  const withId = (id: string, changes = {}) =>
    spokenRequest({
      messages: [
        { role: "user", content: "Say 'one two three'." },
        { role: "assistant", audio: { id } },
        { role: "user", content: "What did you say?" },
      ],
      ...changes,
    });

  it("of a streamed answer brings back what was said", async () => {
    await withStandIn({}, async (standIn) => {
      const { audioIds } = collect(await readChunks(await post(standIn, streamRequest())));
      const again = await readSpoken(await post(standIn, withId(audioIds[0] ?? "")));
      expect(again.audio.transcript).toContain('and I said "one two three"');
    });
  });

  it("is unknown once its hour is over, to the second", async () => {
    let time = Date.parse("2026-01-01T00:00:00Z");
    await withStandIn({ now: () => new Date(time) }, async (standIn) => {
      const { audio } = await readSpoken(await post(standIn, spokenRequest()));
      expect(audio.expires_at).toBe(time / 1000 + 3600);
      time += 3_599_999;
      expect((await post(standIn, withId(audio.id))).status).toBe(200);
      time += 1;
      expect(await readError(await post(standIn, withId(audio.id)))).toMatchObject({
        code: "audio_not_found",
      });
    });
  });

  it("is unknown to another deployment, and to all after expireAudioIds", async () => {
    await withStandIn({}, async (standIn) => {
      const { audio } = await readSpoken(await post(standIn, spokenRequest()));
      const other = await post(standIn, withId(audio.id, { model: "other" }), { path: v1Path });
      expect(await readError(other)).toMatchObject({ code: "audio_not_found" });
      expect((await post(standIn, withId(audio.id), { path: v1Path })).status).toBe(200);
      standIn.expireAudioIds();
      expect(await readError(await post(standIn, withId(audio.id)))).toMatchObject({
        code: "audio_not_found",
      });
    });
  });
});

describe("what was received", () => {
  it("is recorded with the sound replaced by its size and hash", async () => {
    await withStandIn({}, async (standIn) => {
      const messages = [{ role: "user", content: [inputAudio(silentWav(100))] }];
      await readWhole(await post(standIn, spokenRequest({ messages }), { headers: { "api-key": "k-1" } }));
      const data = { byteLength: 1644, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) };
      const content = [{ type: "input_audio", input_audio: { data, format: "wav" } }];
      expect(standIn.requests[0]).toMatchObject({
        method: "POST",
        path: "/openai/deployments/my-audio/chat/completions",
        credential: { kind: "api-key", value: "k-1" },
        body: { messages: [{ role: "user", content }] },
        fault: null,
        disconnectedAt: null,
      });
      expect(await standIn.requests[0]?.ended).toBe("answered");
      expect(standIn.requests[0]?.status).toBe(200);
    });
  });

  it("is kept for the last 1,000 requests", async () => {
    await withStandIn({}, async (standIn) => {
      for (let round = 0; round < 21; round += 1) {
        await Promise.all(
          Array.from({ length: 50 }, () => fetch(`${standIn.url}/${round}`).then((r) => r.text())),
        );
      }
      expect(standIn.requests).toHaveLength(1000);
      expect(standIn.requests.at(-1)?.path).toBe("/20");
    });
  });
});

describe("a pause", () => {
  it("holds a stream after its first sound until it is released", async () => {
    await withStandIn({}, async (standIn) => {
      const pause = standIn.pauseNext("after-first-audio");
      const response = post(standIn, streamRequest());
      const recorded = await pause.reached;
      expect(recorded).toBe(standIn.requests[0]);
      pause.release();
      expect(collect(await readChunks(await response)).expiresAt).not.toBeNull();
    });
  });

  it("ends when the client hangs up, which is recorded", async () => {
    await withStandIn({}, async (standIn) => {
      const client = new AbortController();
      const pause = standIn.pauseNext("before-answer");
      const response = post(standIn, streamRequest(), { signal: client.signal });
      const recorded = await pause.reached;
      client.abort();
      await expect(response).rejects.toMatchObject({ name: "AbortError" });
      expect(await recorded.ended).toBe("disconnected");
      expect(recorded.disconnectedAt).not.toBeNull();
    });
  });

  it("does not keep the stand-in from closing", async () => {
    await withStandIn({}, async (standIn) => {
      const pause = standIn.pauseNext("before-answer");
      const unreached = standIn.pauseNext("after-first-audio");
      const response = post(standIn, streamRequest());
      await pause.reached;
      await Promise.all([
        standIn.close(),
        expect(response).rejects.toThrow(),
        expect(unreached.reached).rejects.toThrow(),
      ]);
    });
  });
});

(spec === undefined ? describe.skip : describe)("the provider's specification", () => {
  const validator = (name: string) => {
    const ajv = new Ajv({ strict: false, validateFormats: false });
    ajv.addSchema({ $id: "spec", ...z.record(z.string(), z.unknown()).parse(withNulls(spec)) });
    const validate = ajv.compile({ $ref: `spec#/components/schemas/${name}` });
    return (value: unknown) => (validate(value) ? [] : validate.errors);
  };

  it.each([
    ["spoken", spokenRequest({ audio: { voice: "alloy", format: "wav" } })],
    [
      "text",
      spokenRequest({
        messages: [{ role: "user", content: [inputAudio(silentWav(10))] }],
        modalities: ["text"],
      }),
    ],
  ])("describes a whole %s answer of either API", async (_kind, body) => {
    const errorsOf = validator("AzureCreateChatCompletionResponse");
    await withStandIn({}, async (standIn) => {
      expect(errorsOf(await (await post(standIn, body)).json())).toEqual([]);
      expect(errorsOf(await (await post(standIn, body, { path: v1Path })).json())).toEqual([]);
    });
  });

  // The specification demands choices and finish_reason everywhere; the real streams leave them out here and there.
  it("describes every chunk that has choices and finish_reason", async () => {
    const errorsOf = validator("AzureCreateChatCompletionStreamResponse");
    await withStandIn({}, async (standIn) => {
      const chunks = await readChunks(await post(standIn, streamRequest(), { path: v1Path }));
      const described = chunks.filter((chunk) => chunk.choices?.every((choice) => "finish_reason" in choice));
      expect(described.length).toBeGreaterThan(5);
      for (const chunk of described) expect(errorsOf(chunk)).toEqual([]);
    });
  });
});

/** OpenAPI 3.0 says `nullable` beside `allOf` or `enum`; JSON Schema wants another branch. */
function withNulls(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(withNulls);
  if (typeof schema !== "object" || schema === null) return schema;
  const copy = Object.fromEntries(Object.entries(schema).map(([name, value]) => [name, withNulls(value)]));
  return "nullable" in schema && ("allOf" in schema || "enum" in schema)
    ? { anyOf: [copy, { type: "null" }] }
    : copy;
}

function kindOf(chunk: WireChunk): string | null {
  const delta = deltaOf(chunk);
  if (chunk.usage) return "usage";
  if (delta === undefined) return null;
  if (delta.audio !== undefined) return Object.keys(delta.audio).join("+");
  return "role" in delta ? "role" : "other";
}

/** The kinds of chunks in their order, each run once. */
function orderOf(chunks: WireChunk[]): string[] {
  const kinds = chunks.map(kindOf).filter((kind) => kind !== null);
  return kinds.filter((kind, index) => kind !== kinds[index - 1]);
}

/** The names of all keys, down to the audio. */
function shapeOf(chunk: WireChunk): string {
  const choice = chunk.choices?.[0];
  const levels = [chunk, choice, choice?.delta, choice?.delta?.audio, chunk.usage];
  return levels.map((level) => Object.keys(level ?? {}).join(",")).join(" > ");
}
