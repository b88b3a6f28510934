import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";

import { measureWav } from "../../src/services/audio/formats/wav.js";
import { growingWavHeader, wavHeader } from "../../src/services/audio/formats/wav-header.js";
import { BytesSource } from "../helpers/audio-fixtures.js";

const chunk = (id: string, body: Uint8Array, size = body.byteLength): Buffer => {
  const header = Buffer.alloc(8);
  header.write(id, 0, "latin1");
  header.writeUInt32LE(size, 4);
  return Buffer.concat([header, body, Buffer.alloc(body.byteLength & 1)]);
};

interface FormatFields {
  tag?: number;
  channels?: number;
  sampleRate?: number;
  bits?: number;
  block?: number;
  subFormat?: number;
}

function format({
  tag = 1,
  channels = 1,
  sampleRate = 24_000,
  bits = 16,
  block,
  subFormat,
}: FormatFields): Buffer {
  const body = Buffer.alloc(subFormat === undefined ? 16 : 40);
  body.writeUInt16LE(tag, 0);
  body.writeUInt16LE(channels, 2);
  body.writeUInt32LE(sampleRate, 4);
  body.writeUInt16LE(block ?? (channels * bits) / 8, 12);
  body.writeUInt16LE(bits, 14);
  if (subFormat !== undefined) {
    body.writeUInt16LE(22, 16);
    body.writeUInt16LE(bits, 18);
    body.writeUInt16LE(subFormat, 24);
  }
  return chunk("fmt ", body);
}

const riff = (...chunks: Uint8Array[]): Buffer =>
  Buffer.concat([Buffer.from("RIFF\xff\xff\xff\xffWAVE", "latin1"), ...chunks]);

const second = Buffer.alloc(48_000, 1);
const measure = (bytes: Uint8Array) => measureWav(new BytesSource(bytes));

describe("a WAV file", () => {
  it.each<[string, Buffer, object]>([
    ["PCM of 16 bits", riff(format({}), chunk("data", second)), { encoding: "pcm", durationMs: 1000 }],
    [
      "PCM of 8 bits",
      riff(format({ bits: 8 }), chunk("data", second)),
      { durationMs: 2000, bitsPerSample: 8 },
    ],
    [
      "PCM of 24 bits in stereo",
      riff(format({ bits: 24, channels: 2, sampleRate: 48_000 }), chunk("data", Buffer.alloc(288_000))),
      { durationMs: 1000, channels: 2, sampleRate: 48_000 },
    ],
    ["PCM of 32 bits", riff(format({ bits: 32 }), chunk("data", second)), { durationMs: 500 }],
    [
      "floats",
      riff(format({ tag: 3, bits: 32 }), chunk("data", second)),
      { encoding: "float", durationMs: 500 },
    ],
    [
      "a-law",
      riff(format({ tag: 6, bits: 8, sampleRate: 8000 }), chunk("data", second)),
      { encoding: "a-law", durationMs: 6000 },
    ],
    [
      "mu-law",
      riff(format({ tag: 7, bits: 8, sampleRate: 8000 }), chunk("data", second)),
      { encoding: "mu-law", durationMs: 6000 },
    ],
    [
      "an extensible header",
      riff(format({ tag: 0xfffe, subFormat: 3, bits: 32 }), chunk("data", second)),
      { encoding: "float", durationMs: 500 },
    ],
    [
      "other chunks in front, one of odd length",
      riff(chunk("LIST", Buffer.from("odd")), format({}), chunk("bext", second), chunk("data", second)),
      { durationMs: 1000 },
    ],
    [
      "the format behind the sound",
      riff(chunk("data", second), format({})),
      { durationMs: 1000, dataOffset: 20 },
    ],
    [
      "a data size of 0 while it was recorded",
      riff(format({}), chunk("data", second, 0)),
      { durationMs: 1000 },
    ],
    [
      "a data size of 0xFFFFFFFF",
      riff(format({}), chunk("data", second, 0xffff_ffff)),
      { durationMs: 1000, dataByteLength: 48_000 },
    ],
    ["a data size beyond its end", riff(format({}), chunk("data", second, 96_000)), { durationMs: 1000 }],
    [
      "a chunk behind the sound",
      riff(format({}), chunk("data", second), chunk("LIST", second)),
      { durationMs: 1000 },
    ],
    [
      "half a sample at its end",
      riff(format({}), chunk("data", Buffer.alloc(0)), second.subarray(1)),
      { dataByteLength: 47_998 },
    ],
    [
      "no sound, truly",
      riff(format({}), chunk("data", Buffer.alloc(0))),
      { durationMs: 0, dataByteLength: 0 },
    ],
    [
      "no sound, and a chunk behind it",
      riff(format({}), chunk("data", Buffer.alloc(0)), chunk("LIST", second)),
      { durationMs: 0 },
    ],
  ])("with %s is measured", async (_, bytes, expected) => {
    expect(await measure(bytes)).toMatchObject({ wav: expected });
  });

  it.each<[string, Buffer, RegExp]>([
    ["no format", riff(chunk("data", second)), /without a `fmt ` chunk/u],
    ["no sound chunk", riff(format({})), /without a `data` chunk/u],
    ["a cut format", riff(chunk("fmt ", Buffer.alloc(10)), chunk("data", second)), /without a `fmt ` chunk/u],
    ["ADPCM", riff(format({ tag: 0x11, bits: 4, block: 256 }), chunk("data", second)), /IMA ADPCM/u],
    ["MP3 inside", riff(format({ tag: 0x55, bits: 0, block: 1 }), chunk("data", second)), /with MP3/u],
    ["12 bits", riff(format({ bits: 12, block: 2 }), chunk("data", second)), /12 bits/u],
    ["no channels", riff(format({ channels: 0 }), chunk("data", second)), /0 channels/u],
    ["a rate of 0", riff(format({ sampleRate: 0 }), chunk("data", second)), /rate of 0 Hz/u],
    ["a block size that is wrong", riff(format({ block: 7 }), chunk("data", second)), /contradicts itself/u],
    ["another start", Buffer.from("not a wav file at all"), /without a RIFF header/u],
  ])("with %s is told apart", async (_, bytes, problem) => {
    const result = await measure(bytes);
    expect("problem" in result ? result.problem : "").toMatch(problem);
  });

  it("that consists of endless empty chunks is given up", async () => {
    const source = new BytesSource(
      riff(...Array.from({ length: 50_000 }, () => chunk("JUNK", Buffer.alloc(0)))),
    );
    expect(await measureWav(source)).toMatchObject({ problem: expect.stringContaining("fmt") });
    expect(source.readByteLength).toBeLessThan(200_000);
  });

  it("is measured as it was written, for every header that can be written", async () => {
    const fields = fc.record({
      sampleRate: fc.integer({ min: 1000, max: 192_000 }),
      channels: fc.integer({ min: 1, max: 8 }),
      bitsPerSample: fc.constantFrom(8, 16, 24, 32),
      frames: fc.nat(500),
    });
    await fc.assert(
      fc.asyncProperty(fields, async ({ sampleRate, channels, bitsPerSample, frames }) => {
        const dataByteLength = (frames * channels * bitsPerSample) / 8;
        const header = wavHeader({ sampleRate, channels, bitsPerSample, dataByteLength });
        const result = await measure(Buffer.concat([header, Buffer.alloc(dataByteLength)]));
        expect(result).toEqual({
          wav: {
            encoding: "pcm",
            durationMs: Math.round((frames * 1000) / sampleRate),
            sampleRate,
            channels,
            bitsPerSample,
            dataOffset: 44,
            dataByteLength,
          },
        });
      }),
    );
  });
});

describe("a WAV header", () => {
  it("is the canonical 44 bytes", () => {
    const header = wavHeader({ sampleRate: 24_000, channels: 1, bitsPerSample: 16, dataByteLength: 4 });
    expect(Buffer.from(header).toString("hex")).toBe(
      "52494646280000005741564566" + "6d7420100000000100010" + "0c05d000080bb0000020010006461746104000000",
    );
  });

  it("of a growing clip tells no sizes and differs in nothing else", () => {
    const growing = Buffer.from(growingWavHeader());
    expect(growing.readUInt32LE(4)).toBe(0xffff_ffff);
    expect(growing.readUInt32LE(40)).toBe(0xffff_ffff);
    const final = Buffer.from(
      wavHeader({ sampleRate: 24_000, channels: 1, bitsPerSample: 16, dataByteLength: 2 }),
    );
    for (const offset of [4, 40]) final.writeUInt32LE(0xffff_ffff, offset);
    expect(growing.equals(final)).toBe(true);
  });

  it.each([-2, 0.5, Number.NaN, 0xffff_ffff])("refuses a length of %d bytes", (dataByteLength) => {
    const fields = { sampleRate: 24_000, channels: 1, bitsPerSample: 16, dataByteLength };
    expect(() => wavHeader(fields)).toThrow(RangeError);
  });
});
