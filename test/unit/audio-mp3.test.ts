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

  it("with tags of all kinds around it is measured by its frames alone", async () => {
    const ape = Buffer.concat([
      Buffer.from("APETAGEX"),
      Buffer.from("d00700002b0000000100000000000080", "hex"),
      Buffer.from("Title\0 of a song".repeat(500)),
    ]);
    const id3v1 = Buffer.alloc(128, 0xff);
    id3v1.write("TAG of a song", "latin1");
    expect(await measure(id3(300), constant(40), ape, id3v1, Buffer.from("\0\n"))).toMatchObject({
      durationMs: durationMs(40),
    });
  });

  describe("that hides frames", () => {
    const mpeg25 = (count: number) => frames([0xe3, 0x08], Array<number>(count).fill(1), () => 72);
    const apart = (frame: Buffer, count: number) =>
      Buffer.concat(Array.from({ length: count }, () => Buffer.concat([frame, Buffer.alloc(1)])));

    it.each([
      ["of another rate", Buffer.concat([constant(3), mpeg25(30_000)]), durationMs(3) + 30_000 * 72],
      [
        "of two rates in turns",
        Buffer.concat(Array.from({ length: 500 }, () => [constant(4), mpeg25(4)]).flat()),
        durationMs(2000) + 2000 * 72,
      ],
      ["of another rate at its end", Buffer.concat([constant(3), mpeg25(1)]), durationMs(3) + 72],
    ])("%s is measured with them", async (_, bytes, ms) => {
      expect((await measure(bytes))?.durationMs).toBe(ms);
    });

    it.each([
      [
        "behind much damage",
        Buffer.concat([constant(10), Buffer.alloc(1_100_000), constant(20_000)]),
        20_010,
      ],
      ["each behind a byte of damage", Buffer.concat([constant(10), apart(constant(1), 5000)]), 5010],
      ["in front of those that it begins with", Buffer.concat([apart(constant(1), 100), constant(10)]), 110],
    ])("%s is measured as no shorter than all of them", async (_, bytes, count) => {
      const ms = (await measure(bytes))?.durationMs ?? 0;
      expect(ms).toBeGreaterThanOrEqual(durationMs(count));
      expect(ms).toBeLessThan(1.01 * durationMs(count));
    });

    it("in a row of patterns is measured as no longer than the slowest frames of as many bytes", async () => {
      const noise = Buffer.from("fffb90c0".repeat(200) + "00".repeat(78), "hex");
      const ms = ((await measure(noise, constant(100)))?.durationMs ?? 0) - durationMs(100);
      expect(ms).toBeGreaterThan(noise.byteLength - 10);
      expect(ms).toBeLessThan(1.01 * noise.byteLength);
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
