import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { measureAudio } from "../../src/stand-in/checks/audio-bytes.js";
import { findRoute, knowsAudio } from "../../src/stand-in/routes.js";
import {
  datedPath,
  inputAudio,
  post,
  readError,
  readWhole,
  silentWav,
  spokenRequest,
  v1Path,
  withStandIn,
} from "./support.js";

const wav = inputAudio(silentWav(500));
const userMessage = (...parts: unknown[]) => ({ messages: [{ role: "user", content: parts }] });
const textOnly = { modalities: ["text"] };

const refusals: [mistake: string, body: unknown, expected: Record<string, unknown>][] = [
  ["a body that is not JSON", "{", { status: 400, code: null }],
  ["a body that is a list", [], { status: 400, param: "body" }],
  [
    "no messages",
    spokenRequest({ messages: undefined }),
    { param: "messages", code: "missing_required_parameter" },
  ],
  ["an empty list of messages", spokenRequest({ messages: [] }), { param: "messages", code: "empty_array" }],
  [
    "an unknown role",
    spokenRequest({ messages: [{ role: "robot", content: "x" }] }),
    { param: "messages[0].role" },
  ],
  [
    "a user message without content",
    spokenRequest({ messages: [{ role: "user" }] }),
    { param: "messages[0].content" },
  ],
  ["audio without its settings", spokenRequest({ audio: undefined }), { param: "audio" }],
  [
    "audio without text",
    spokenRequest({ modalities: ["audio"] }),
    { param: "modalities", code: "invalid_value" },
  ],
  ["an unknown modality", spokenRequest({ modalities: ["text", "smell"] }), { param: "modalities[1]" }],
  [
    "an unknown voice",
    spokenRequest({ audio: { voice: "bob", format: "wav" } }),
    { param: "audio.voice", code: "invalid_value" },
  ],
  [
    "an unknown format",
    spokenRequest({ audio: { voice: "alloy", format: "ogg" } }),
    { param: "audio.format", code: "invalid_value" },
  ],
  [
    "a streamed format other than pcm16",
    spokenRequest({ stream: true, audio: { voice: "alloy", format: "wav" } }),
    {
      code: "unsupported_value",
      message:
        "Unsupported value: 'audio.format' does not support 'wav' when stream=true. Supported values are: 'pcm16'.",
    },
  ],
  [
    "no sound in or out",
    spokenRequest(textOnly),
    {
      param: "model",
      code: "invalid_value",
      message: "This model requires that either input content or output modality contain audio.",
    },
  ],
  [
    "sound in an assistant message",
    spokenRequest({ messages: [{ role: "assistant", content: [wav] }] }),
    { param: "messages[0].content[0].type", code: "invalid_value" },
  ],
  [
    "sound in a system message",
    spokenRequest({ messages: [{ role: "system", content: [wav] }] }),
    { code: "invalid_value" },
  ],
  [
    "a data URL instead of base64",
    spokenRequest(
      userMessage({
        type: "input_audio",
        input_audio: { data: "data:audio/wav;base64,AAAA", format: "wav" },
      }),
    ),
    { param: "messages[0].content[0].input_audio.data" },
  ],
  [
    "a format that is not for input",
    spokenRequest(userMessage(inputAudio(silentWav(10), "flac"))),
    { code: "invalid_value" },
  ],
  [
    "bytes that are no audio",
    spokenRequest(userMessage(inputAudio(Buffer.from("no sound at all")))),
    { code: "unsupported_format", message: "This model does not support the format you provided." },
  ],
  [
    "WAV bytes called MP3",
    spokenRequest(userMessage(inputAudio(silentWav(10), "mp3"))),
    { code: "unsupported_format" },
  ],
  [
    "a file over 20 MB",
    spokenRequest(userMessage(inputAudio(Buffer.alloc(20 * 1024 * 1024 + 1)))),
    { status: 400, code: "audio_too_large" },
  ],
  [
    "an unknown audio id",
    spokenRequest({
      messages: [
        { role: "user", content: "x" },
        { role: "assistant", audio: { id: "audio_1" } },
      ],
    }),
    {
      param: "content.messages[1].audio.id",
      code: "audio_not_found",
      message: "Assistant audio audio_1 not found.",
    },
  ],
  [
    "more than an id in an assistant's audio",
    spokenRequest({ messages: [{ role: "assistant", audio: { id: "audio_1", data: "AAAA" } }] }),
    { param: "messages[0].audio.data", code: "unknown_parameter" },
  ],
  [
    "a schema for the answer",
    spokenRequest({ response_format: { type: "json_schema" } }),
    { param: "response_format" },
  ],
  ["a limit of no tokens", spokenRequest({ max_completion_tokens: 0 }), { param: "max_completion_tokens" }],
  ["a temperature out of range", spokenRequest({ temperature: 3 }), { param: "temperature" }],
  ["stream options without a stream", spokenRequest({ stream_options: {} }), { param: "stream_options" }],
  [
    "more text than the model's context holds",
    spokenRequest({ messages: [{ role: "user", content: "x".repeat(520_000) }] }),
    { param: "messages", code: "context_length_exceeded" },
  ],
];

describe("a request with a mistake", () => {
  it.each(refusals)("is refused for %s", async (_mistake, body, expected) => {
    await withStandIn({}, async (standIn) => {
      expect(await readError(await post(standIn, body))).toMatchObject({ status: 400, ...expected });
    });
  });

  it("is refused over 64 MiB, whether the length is told before or not", async () => {
    await withStandIn({}, async (standIn) => {
      const piece = new Uint8Array(8 * 1024 * 1024).fill(32);
      let sent = 0;
      const body = new ReadableStream<Uint8Array>({
        pull: (controller) => (sent++ < 9 ? controller.enqueue(piece) : controller.close()),
      });
      const headers = { "api-key": "any" };
      const unmeasured = fetch(standIn.url + datedPath, { method: "POST", headers, body, duplex: "half" });
      expect(await readError(await unmeasured)).toMatchObject({ status: 413 });
      const measured = await post(standIn, "x".repeat(64 * 1024 * 1024 + 1));
      expect(await readError(measured)).toMatchObject({ status: 413 });
    });
  });

  it("names the model where the v1 API is not told one", async () => {
    await withStandIn({}, async (standIn) => {
      const response = await post(standIn, spokenRequest({ model: undefined }), { path: v1Path });
      expect(await readError(response)).toMatchObject({ status: 400, param: "model" });
    });
  });
});

describe("a request that is right", () => {
  it("takes a file of exactly 20 MB", async () => {
    await withStandIn({}, async (standIn) => {
      const audio = inputAudio(
        Buffer.concat([silentWav(0).subarray(0, 40), sizeField(), Buffer.alloc(20_971_520 - 44)]),
      );
      const whole = await readWhole(
        await post(standIn, spokenRequest({ ...userMessage(audio), ...textOnly })),
      );
      expect(whole.content).toContain("1310.7 seconds");
    });
  });

  it("needs no sound in the answer while an earlier message holds sound", async () => {
    await withStandIn({}, async (standIn) => {
      const messages = [
        { role: "user", content: [wav] },
        { role: "assistant", content: "I cannot hear." },
        { role: "user", content: "And now?" },
      ];
      const response = await post(standIn, spokenRequest({ messages, ...textOnly }));
      expect(await readWhole(response)).toMatchObject({ finishReason: "stop", refusal: null });
    });
  });

  it("may use a voice that was added", async () => {
    await withStandIn({ extraVoices: ["bob"] }, async (standIn) => {
      const response = await post(standIn, spokenRequest({ audio: { voice: "bob", format: "wav" } }));
      expect(response.status).toBe(200);
    });
  });

  function sizeField(): Buffer {
    const field = Buffer.alloc(4);
    field.writeUInt32LE(20_971_520 - 44);
    return field;
  }
});

describe("an address", () => {
  const wrong: [reason: string, method: string, target: string][] = [
    ["another path", "POST", "/openai/deployments/d/completions?api-version=2025-01-01-preview"],
    ["another method", "GET", datedPath],
    ["no version", "POST", "/openai/deployments/d/chat/completions"],
    ["a version that is no date", "POST", "/openai/deployments/d/chat/completions?api-version=latest"],
    ["a dated version of v1", "POST", `${v1Path}?api-version=2025-01-01-preview`],
    [
      "a name that is badly encoded",
      "POST",
      "/openai/deployments/%E0%A4%A/chat/completions?api-version=2025-01-01",
    ],
  ];
  it.each(wrong)("is not found for %s", async (_reason, method, target) => {
    await withStandIn({}, async (standIn) => {
      const response = await fetch(standIn.url + target, { method, headers: { "api-key": "any" } });
      expect(response.status).toBe(404);
      expect(await response.json()).toEqual({ error: { code: "404", message: "Resource not found" } });
    });
  });

  it.each([datedPath, v1Path, `${v1Path}?api-version=preview`, `/${datedPath}`])(
    "is found at %s",
    (target) => {
      expect(findRoute("POST", target)).toMatchObject({ kind: "chat" });
    },
  );

  it("knows no audio before the version of 2025-01-01", async () => {
    const old = "/openai/deployments/d/chat/completions?api-version=2024-12-01-preview";
    await withStandIn({}, async (standIn) => {
      const refused = await readError(await post(standIn, spokenRequest(), { path: old }));
      expect(refused).toMatchObject({
        status: 400,
        message: "Unrecognized request argument supplied: modalities",
      });
      const plain = await readError(await post(standIn, { messages: [] }, { path: old }));
      expect(plain).toMatchObject({ status: 400, code: "OperationNotSupported" });
    });
    const route = findRoute("POST", old);
    expect(route.kind === "chat" && knowsAudio(route)).toBe(false);
  });
});

describe("measuring audio", () => {
  it("takes the length of a WAV file from its bytes where the header lies", () => {
    const wavBytes = silentWav(250);
    for (const size of [0xffffffff, 4_000_000]) {
      wavBytes.writeUInt32LE(size, 40);
      expect(measureAudio(wavBytes)).toEqual({ format: "wav", durationMs: 250 });
    }
  });

  it("counts the frames of an MP3 file behind its tag", () => {
    // MPEG-2 layer III, 64 kbit/s, 24 kHz: frames of 192 bytes and 24 ms.
    const frame = Buffer.alloc(192);
    frame.writeUInt32BE(0xfff38400, 0);
    const tag = Buffer.from([0x49, 0x44, 0x33, 4, 0, 0, 0, 0, 0, 5, 1, 2, 3, 4, 5]);
    const frames = Array.from({ length: 10 }, () => frame);
    expect(measureAudio(Buffer.concat([tag, ...frames]))).toEqual({ format: "mp3", durationMs: 240 });
    expect(measureAudio(frame)).toBeNull();
  });

  it("never fails on any bytes", () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 300 }),
        fc.constantFrom("", "RIFF0000WAVE", "ID3"),
        (bytes, start) => {
          const measured = measureAudio(Buffer.concat([Buffer.from(start), bytes]));
          expect(measured === null || Number.isFinite(measured.durationMs)).toBe(true);
        },
      ),
    );
  });
});
