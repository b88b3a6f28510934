import { randomUUID } from "node:crypto";
import type { OpenAI } from "openai";
import { isStreamed } from "./outcome.js";
import type { CompletionRequest, ModelMessage, ModelOutput, UserAudioPart, UserPart } from "./types.js";

type WireRequest = OpenAI.ChatCompletionCreateParams;
type WireMessage = OpenAI.ChatCompletionMessageParam;
type WirePart = OpenAI.ChatCompletionContentPart;

/** Bytes turned into base64 at once: a multiple of 3, small enough that no long string is made. */
const blockByteLength = 48 * 1024;

/**
 * The request as JSON in one buffer of its exact length. Audio is written into it as it is read, so that no clip is
 * ever a string. Throws where a source gives more or fewer bytes than it said, and what a source throws.
 */
export async function encodeRequest(
  request: CompletionRequest,
  model: string,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const clips: UserAudioPart[] = [];
  // Nobody can put this mark into a text of the conversation, so the JSON falls apart exactly at the clips.
  const mark = randomUUID();
  const json = JSON.stringify(wireRequest(request, model, (clip) => (clips.push(clip), mark)));
  const segments = json.split(mark);
  const body = Buffer.alloc(byteLengthOf(segments, clips));
  let offset = 0;
  for (const [index, segment] of segments.entries()) {
    offset += body.write(segment, offset, "utf8");
    const clip = clips[index];
    if (clip !== undefined) offset = await writeClip(body, offset, clip, signal);
  }
  return body;
}

function byteLengthOf(segments: string[], clips: UserAudioPart[]): number {
  const text = segments.reduce((sum, segment) => sum + Buffer.byteLength(segment, "utf8"), 0);
  return clips.reduce((sum, clip) => sum + base64Length(clip.byteLength), text);
}

function base64Length(byteLength: number): number {
  if (!Number.isSafeInteger(byteLength) || byteLength < 0)
    throw new RangeError("byteLength is no length of audio.");
  return 4 * Math.ceil(byteLength / 3);
}

async function writeClip(
  body: Buffer,
  start: number,
  clip: UserAudioPart,
  signal: AbortSignal,
): Promise<number> {
  const writer = new Base64Writer(body, start);
  let remaining = clip.byteLength;
  for await (const bytes of await clip.open()) {
    signal.throwIfAborted();
    remaining -= bytes.byteLength;
    if (remaining < 0)
      throw new RangeError(`The audio has more than the ${clip.byteLength} bytes it was said to have.`);
    writer.write(bytes);
  }
  if (remaining > 0) throw new RangeError(`The audio has ${remaining} bytes fewer than it was said to have.`);
  return writer.end();
}

/** Writes base64 into a buffer. Three bytes make four characters, so up to two bytes wait for the next piece. */
class Base64Writer {
  readonly #target: Buffer;
  #offset: number;
  #waiting: Uint8Array = new Uint8Array();

  constructor(target: Buffer, offset: number) {
    this.#target = target;
    this.#offset = offset;
  }

  write(piece: Uint8Array): void {
    const bytes = this.#waiting.byteLength === 0 ? piece : Buffer.concat([this.#waiting, piece]);
    const wholeByteLength = bytes.byteLength - (bytes.byteLength % 3);
    for (let start = 0; start < wholeByteLength; start += blockByteLength) {
      this.#put(bytes.subarray(start, Math.min(start + blockByteLength, wholeByteLength)));
    }
    // Copied: the source may use its buffer again.
    this.#waiting = Uint8Array.from(bytes.subarray(wholeByteLength));
  }

  /** Writes what waits, padded, and answers the offset behind it. */
  end(): number {
    this.#put(this.#waiting);
    return this.#offset;
  }

  #put(bytes: Uint8Array): void {
    const block = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#offset += this.#target.write(block.toString("base64"), this.#offset, "latin1");
  }
}

function wireRequest(
  request: CompletionRequest,
  model: string,
  placeOf: (clip: UserAudioPart) => string,
): WireRequest {
  return {
    model,
    messages: request.messages.map((message) => wireMessage(message, placeOf)),
    ...wireOutput(request.output),
    ...(request.maxTokens === null ? {} : { max_completion_tokens: request.maxTokens }),
    ...(request.temperature === null ? {} : { temperature: request.temperature }),
    ...(isStreamed(request) ? { stream: true, stream_options: { include_usage: true } } : {}),
  };
}

function wireOutput(output: ModelOutput): Pick<WireRequest, "modalities" | "audio"> {
  if (output.kind === "text") return { modalities: ["text"] };
  return { modalities: ["text", "audio"], audio: { voice: output.voice, format: output.format } };
}

function wireMessage(message: ModelMessage, placeOf: (clip: UserAudioPart) => string): WireMessage {
  if (message.role === "system") return { role: "system", content: message.text };
  if (message.role === "user")
    return { role: "user", content: message.parts.map((part) => wirePart(part, placeOf)) };
  if ("providerAudioId" in message) return { role: "assistant", audio: { id: message.providerAudioId } };
  return { role: "assistant", content: message.text };
}

function wirePart(part: UserPart, placeOf: (clip: UserAudioPart) => string): WirePart {
  if (part.type === "text") return { type: "text", text: part.text };
  return { type: "input_audio", input_audio: { data: placeOf(part), format: part.format } };
}
