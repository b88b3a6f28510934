import { Readable } from "node:stream";
import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { encodeRequest } from "../../src/azure/body.js";
import type { CompletionRequest, UserAudioPart } from "../../src/azure/types.js";
import { requestFor, spoken, written } from "./calls.js";

const never = new AbortController().signal;

function clip(pieces: Uint8Array[], byteLength = Buffer.concat(pieces).byteLength): UserAudioPart {
  return { type: "audio", format: "wav", byteLength, open: () => Promise.resolve(Readable.from(pieces)) };
}

async function encode(request: CompletionRequest): Promise<unknown> {
  const body = await encodeRequest(request, "talker", never);
  return JSON.parse(Buffer.from(body).toString("utf8"));
}

describe("the body of a request", () => {
  it("holds every kind of message as the provider wants it", async () => {
    const body = await encode(
      requestFor(written, {
        messages: [
          { role: "system", text: "Be kind. \u{1F600}" },
          { role: "user", parts: [{ type: "text", text: 'What is "this"?' }, clip([Buffer.from("RIFF")])] },
          { role: "assistant", providerAudioId: "audio_9" },
          { role: "user", parts: [{ ...clip([Buffer.from("ID3")]), format: "mp3" }] },
          { role: "assistant", text: "A tune." },
        ],
      }),
    );
    expect(body).toEqual({
      model: "talker",
      modalities: ["text"],
      stream: true,
      stream_options: { include_usage: true },
      messages: [
        { role: "system", content: "Be kind. \u{1F600}" },
        {
          role: "user",
          content: [
            { type: "text", text: 'What is "this"?' },
            { type: "input_audio", input_audio: { data: "UklGRg==", format: "wav" } },
          ],
        },
        { role: "assistant", audio: { id: "audio_9" } },
        { role: "user", content: [{ type: "input_audio", input_audio: { data: "SUQz", format: "mp3" } }] },
        { role: "assistant", content: "A tune." },
      ],
    });
  });

  it("holds each clip's bytes in order, however its source cuts them", async () => {
    const pieces = fc.array(fc.uint8Array({ maxLength: 20 }), { maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(
        fc.array(pieces, { minLength: 1, maxLength: 3 }),
        fc.string({ unit: "grapheme" }),
        async (clips, text) => {
          const parts = clips.map((one) => clip(one));
          const messages: CompletionRequest["messages"] = [
            { role: "user", parts: [{ type: "text", text }, ...parts] },
          ];
          const expected = clips.map((one) => ({
            type: "input_audio",
            input_audio: { data: Buffer.concat(one).toString("base64"), format: "wav" },
          }));
          expect(await encode(requestFor(spoken, { messages }))).toMatchObject({
            messages: [{ role: "user", content: [{ type: "text", text }, ...expected] }],
          });
        },
      ),
    );
  });

  it("takes a large clip in one piece", async () => {
    const bytes = Buffer.alloc(200_000, "abcdefg");
    const messages: CompletionRequest["messages"] = [{ role: "user", parts: [clip([bytes])] }];
    const body = Buffer.from(await encodeRequest(requestFor(spoken, { messages }), "talker", never)).toString(
      "latin1",
    );
    expect(body.includes(`"${bytes.toString("base64")}"`)).toBe(true);
  });

  it.each([
    ["fewer", [Buffer.from("abc")], 4],
    ["more", [Buffer.from("abc"), Buffer.from("de")], 4],
    ["no", [], 1],
  ])("is refused where a source gives %s bytes than it said", async (_, pieces, byteLength) => {
    const messages: CompletionRequest["messages"] = [{ role: "user", parts: [clip(pieces, byteLength)] }];
    await expect(encode(requestFor(spoken, { messages }))).rejects.toThrow(RangeError);
  });

  it.each([-1, 1.5, Number.NaN])("is refused where a clip's length is %d", async (byteLength) => {
    const messages: CompletionRequest["messages"] = [{ role: "user", parts: [clip([], byteLength)] }];
    await expect(encode(requestFor(spoken, { messages }))).rejects.toThrow(RangeError);
  });
});
