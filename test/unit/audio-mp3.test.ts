import { beforeAll, describe, expect, it } from "@jest/globals";

import { measureMp3 } from "../../src/services/audio/formats/mp3.js";
import { BytesSource, encodeTone } from "../helpers/audio-fixtures.js";

/** Layer III frames of silence: a header, then zeros. `kbpsIndexes` walks through the table of bit rates. */
function frames(
  header: readonly [number, number],
  kbpsIndexes: number[],
  frameByteLength: (index: number) => number,
) {
  return Buffer.concat(
    kbpsIndexes.map((index) => {
      const frame = Buffer.alloc(frameByteLength(index));
      frame.set([0xff, header[0], (index << 4) | header[1], 0xc0]);
      return frame;
    }),
  );
}

// MPEG 1, 44.1 kHz, mono.
const mpeg1Kbps = [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320];
const mpeg1 = (indexes: number[]) =>
  frames([0xfb, 0], indexes, (index) => Math.floor((144_000 * (mpeg1Kbps[index] ?? 0)) / 44_100));
const constant = (count: number) => mpeg1(Array.from({ length: count }, () => 9));
const measure = (...parts: Uint8Array[]) => measureMp3(new BytesSource(Buffer.concat(parts)));
const durationMs = (frameCount: number) => Math.round((frameCount * 1_152_000) / 44_100);

function id3(byteLength: number, fill = 0): Buffer {
  const tag = Buffer.alloc(10 + byteLength, fill);
  tag.write("ID3\x04\0\0", 0, "latin1");
  for (const [index, shift] of [21, 14, 7, 0].entries()) tag[6 + index] = (byteLength >> shift) & 127;
  return tag;
}

describe("an MP3 file", () => {
  let spoken: Uint8Array;
  beforeAll(async () => {
    spoken = await encodeTone("mp3", { sampleRate: 44_100, channels: 2, durationMs: 3000, frequencyHz: 440 });
  });

  it("of a real encoder is measured within one frame and its padding", async () => {
    const measured = await measure(spoken);
    expect(measured).toMatchObject({ sampleRate: 44_100, channels: 2 });
    expect(Math.abs((measured?.durationMs ?? 0) - 3000)).toBeLessThan(80);
  });

  it("of variable bit rate is measured by its frames", async () => {
    const indexes = Array.from({ length: 300 }, (_, index) => 1 + (index % 14));
    expect(await measure(mpeg1(indexes))).toEqual({
      durationMs: durationMs(300),
      sampleRate: 44_100,
      channels: 1,
    });
  });

  it("of MPEG 2.5 at 8 kHz has half as many samples a frame", async () => {
    const file = frames(
      [0xe3, 0x08],
      Array.from({ length: 50 }, () => 8),
      () => 576,
    );
    expect(await measure(file)).toEqual({ durationMs: 3600, sampleRate: 8000, channels: 1 });
  });

  it("with a Xing header that lies is measured by its frames, without that one", async () => {
    const file = constant(101);
    file.write("Xing\0\0\0\x01\x7f\xff\xff\xff", 21, "latin1");
    expect(await measure(file)).toMatchObject({ durationMs: durationMs(100) });
  });

  it.each([
    ["an ID3 tag", id3(300)],
    ["an ID3 tag that is full of sync patterns and longer than a window", id3(200_000, 0xff)],
    ["two ID3 tags", Buffer.concat([id3(40), id3(5000)])],
    ["zeros", Buffer.alloc(20_000)],
    ["noise with sync patterns in it", Buffer.from("fffb90c0".repeat(200) + "00".repeat(78), "hex")],
  ])("behind %s is found", async (_, front) => {
    expect(await measure(front, constant(100))).toMatchObject({ durationMs: durationMs(100) });
  });

  it("with tags at its end, and cut in its last frame, counts whole frames", async () => {
    const tag = Buffer.alloc(128);
    tag.write("TAG", "latin1");
    expect(await measure(constant(40), tag)).toMatchObject({ durationMs: durationMs(40) });
    expect(await measure(constant(40).subarray(0, -5))).toMatchObject({ durationMs: durationMs(39) });
  });

  it("with damage in the middle goes on behind it", async () => {
    expect(await measure(constant(40), Buffer.alloc(70_000, 0x55), constant(30))).toMatchObject({
      durationMs: durationMs(70),
    });
  });

  it.each([
    ["nothing", Buffer.alloc(0)],
    ["one frame", constant(1)],
    ["a sync pattern in noise", Buffer.from("fffb90c0" + "5a".repeat(5000), "hex")],
    ["an ID3 tag alone", id3(300)],
    ["an ID3 tag that is longer than the file", id3(300).subarray(0, 100)],
    ["layer II", Buffer.from("fffd90c0" + "00".repeat(413), "hex")],
    ["too much in front of the first frame", Buffer.concat([Buffer.alloc(200_000), constant(10)])],
  ])("is not seen in %s", async (_, bytes) => {
    expect(await measure(bytes)).toBeNull();
  });

  it("of 20 MB is read about once, through a small window, even if made of sync patterns", async () => {
    const bytes = Buffer.concat([
      constant(3),
      Buffer.alloc(20 * 1024 * 1024, Buffer.from("fffb90c0", "hex")),
    ]);
    const source = new BytesSource(bytes);
    expect(await measureMp3(source)).not.toBeNull();
    expect(source.longestRead).toBeLessThanOrEqual(65_536);
    expect(source.readByteLength).toBeLessThan(3 * bytes.byteLength);
  });
});
