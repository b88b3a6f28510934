import { beforeAll, describe, expect, it } from "@jest/globals";
import fc from "fast-check";

import { opusPacketSampleCount } from "../../src/services/audio/formats/opus-packet.js";
import { openOggOpus } from "../../src/services/audio/formats/ogg-opus.js";
import { countOpusSamples, type OpusStream } from "../../src/services/audio/formats/opus-stream.js";
import { parseWebmBlock } from "../../src/services/audio/formats/webm-block.js";
import { openWebmOpus } from "../../src/services/audio/formats/webm-opus.js";
import { BytesSource, opusFile, opusHead, opusPackets } from "../helpers/audio-fixtures.js";

const hex = (value: string) => new Uint8Array(Buffer.from(value, "hex"));

async function packetsOf(stream: OpusStream) {
  const packets = [];
  for await (const packet of stream.packets()) packets.push(packet);
  return packets;
}
const bytesOf = async (stream: OpusStream) =>
  (await packetsOf(stream)).map(({ bytes }) => Buffer.from(bytes));

describe("an Opus packet", () => {
  it.each([
    ["one SILK frame of 10 ms", "00ff", 480],
    ["one SILK frame of 60 ms", "1800", 2880],
    ["one hybrid frame of 20 ms", "6800", 960],
    ["one CELT frame of 2.5 ms", "8000", 120],
    ["a packet without a frame's bytes", "f8", 960],
    ["two frames of the same length", "f9aabb", 1920],
    ["two frames of their own lengths", "fa01aabbcc", 1920],
    ["three frames of the same length", "fb03aabbcc", 2880],
    ["three frames behind padding", "fb4302aabbcc0000", 2880],
    ["frames of variable length", "fb8301 02 aa bbbb cc".replaceAll(" ", ""), 2880],
    ["120 ms", "fb06", 5760],
  ])("of %s is counted", (_, packet, sampleCount) => {
    expect(opusPacketSampleCount(hex(packet))).toBe(sampleCount);
  });

  it.each([
    ["nothing", ""],
    ["two equal frames of odd length", "f9aa"],
    ["two frames without a length", "fa"],
    ["two frames, the first longer than all", "fa05aa"],
    ["two frames with half a length", "fafc"],
    ["no frame count", "fb"],
    ["zero frames", "fb00"],
    ["more than 120 ms", "fb07"],
    ["three frames that don't divide", "fb03aabb"],
    ["padding beyond its end", "fb43ff00"],
    ["padding without an end", "fb43ffff"],
    ["a variable length beyond its end", "fb8309"],
    ["a frame above 1275 bytes", "f8" + "00".repeat(1276)],
    ["3,841 bytes", "fb06" + "00".repeat(3839)],
  ])("of %s is refused", (_, packet) => {
    expect(opusPacketSampleCount(hex(packet))).toBeNull();
  });
});

describe("Opus in a container", () => {
  let packets: Uint8Array[];
  beforeAll(() => {
    packets = opusPackets({ channels: 1, durationMs: 2000, frequencyHz: 500 });
  });

  it.each(["webm", "webm-live", "ogg"] as const)("comes out of %s as it went in", async (container) => {
    const file = new BytesSource(await opusFile(container, packets));
    const stream = await (container === "ogg" ? openOggOpus(file) : openWebmOpus(file));
    expect(stream.head).toEqual({ channels: 1, preSkipSamples: 312, gain: 1 });
    expect(await bytesOf(stream)).toEqual(packets.map((packet) => Buffer.from(packet)));
    expect(await countOpusSamples(stream)).toBe(2000 * 48 - 312);
  });

  it.each(["webm", "webm-live", "ogg"] as const)(
    "comes out of a cut %s as far as it goes",
    async (container) => {
      const bytes = await opusFile(container, packets);
      for (const share of [0.3, 0.5, 0.9]) {
        const file = new BytesSource(bytes.subarray(0, Math.floor(bytes.byteLength * share)));
        const found = await bytesOf(await (container === "ogg" ? openOggOpus(file) : openWebmOpus(file)));
        expect(found.length).toBeLessThan(packets.length);
        expect(found).toEqual(packets.slice(0, found.length).map((packet) => Buffer.from(packet)));
      }
    },
  );

  it("tells the output gain of the header as a factor", async () => {
    const file = await opusFile("ogg", packets, opusHead(1, 0, 20 * 256));
    expect((await openOggOpus(new BytesSource(file))).head.gain).toBeCloseTo(10, 6);
  });

  it.each([
    [0, /0 channels/u],
    [6, /6 channels/u],
  ])("is refused with %i channels", async (channels, message) => {
    const head = opusHead(1, 312);
    head[9] = channels;
    await expect(openOggOpus(new BytesSource(ogg([{ flags: 2, pieces: [head] }])))).rejects.toThrow(message);
  });
});

interface PageFields {
  flags?: number;
  granule?: bigint;
  serial?: number;
  pieces: Uint8Array[];
  unfinished?: boolean;
}

/** Pages without a checksum. */
function ogg(pages: PageFields[]): Uint8Array {
  return Buffer.concat(
    pages.flatMap(({ flags = 0, granule = -1n, serial = 7, pieces, unfinished = false }) => {
      const lacing = pieces.flatMap(({ byteLength }, index) => [
        ...Array.from({ length: Math.floor(byteLength / 255) }, () => 255),
        ...(unfinished && index === pieces.length - 1 ? [] : [byteLength % 255]),
      ]);
      const header = Buffer.alloc(27);
      header.write("OggS", 0, "latin1");
      header.writeUInt8(flags, 5);
      header.writeBigInt64LE(granule, 6);
      header.writeUInt32LE(serial, 14);
      header.writeUInt8(lacing.length, 26);
      return [header, Buffer.from(lacing), ...pieces];
    }),
  );
}

const headPage = { flags: 2, granule: 0n, pieces: [opusHead(1, 312)] };
const tagsPage = { granule: 0n, pieces: [Buffer.from("OpusTags")] };
const silence = hex("f8fffe");
const oggPackets = async (...pages: PageFields[]) =>
  await packetsOf(await openOggOpus(new BytesSource(ogg([headPage, ...pages]))));

describe("Ogg with Opus", () => {
  it("puts a packet together that runs over pages", async () => {
    const long = Buffer.concat([hex("f8"), Buffer.alloc(1000, 5)]);
    const found = await oggPackets(
      tagsPage,
      { pieces: [silence, long.subarray(0, 510)], unfinished: true },
      { flags: 1, pieces: [long.subarray(510)] },
    );
    expect(found.map(({ bytes }) => Buffer.from(bytes))).toEqual([Buffer.from(silence), long]);
  });

  it("passes over tags of any length, a picture in them", async () => {
    const piece = Buffer.alloc(255 * 255, 1);
    const found = await oggPackets(
      { pieces: [piece], unfinished: true },
      { flags: 1, pieces: [piece], unfinished: true },
      { flags: 1, pieces: [piece.subarray(0, 5)] },
      { pieces: [silence] },
    );
    expect(found).toHaveLength(1);
  });

  it("passes over the pages of another stream", async () => {
    const found = await oggPackets(tagsPage, { serial: 8, pieces: [silence] }, { pieces: [silence] });
    expect(found).toHaveLength(1);
  });

  it("drops a packet whose beginning is lost", async () => {
    const found = await oggPackets(tagsPage, { flags: 1, pieces: [hex("ee"), silence] });
    expect(found.map(({ bytes }) => Buffer.from(bytes))).toEqual([Buffer.from(silence)]);
  });

  it.each([
    [1920n, [0, 0]],
    [1900n, [0, 20]],
    [900n, [60, 960]],
    [0n, [960, 960]],
    [5000n, [0, 0]],
  ])("trims the end by a last position of %d", async (granule, trimmed) => {
    const found = await oggPackets(tagsPage, { flags: 4, granule, pieces: [silence, silence] });
    expect(found.map(({ trimmedSamples }) => trimmedSamples)).toEqual(trimmed);
  });

  it("takes no more than the last page away, whatever its position says", async () => {
    const found = await oggPackets(
      tagsPage,
      { granule: 1920n, pieces: [silence, silence] },
      { flags: 4, granule: 1n, pieces: [silence] },
    );
    expect(found.map(({ trimmedSamples }) => trimmedSamples)).toEqual([0, 0, 960]);
  });

  it("refuses recordings that were strung together", async () => {
    const pages = [tagsPage, { granule: 960n, pieces: [silence] }, { ...headPage, serial: 9 }];
    await expect(oggPackets(...pages)).rejects.toThrow(/several Ogg recordings/u);
  });

  it("refuses something else between its pages, and a packet that never ends", async () => {
    const damagedFile = Buffer.concat([ogg([headPage, tagsPage]), Buffer.alloc(400, 3)]);
    const stream = await openOggOpus(new BytesSource(damagedFile));
    await expect(packetsOf(stream)).rejects.toMatchObject({ code: "AUDIO_FORMAT_UNSUPPORTED" });
    const endless = { flags: 1, pieces: [Buffer.alloc(65_025, 1)], unfinished: true };
    await expect(oggPackets(tagsPage, { ...endless, flags: 0 }, endless)).rejects.toThrow(
      /too long for Opus/u,
    );
  });

  it("is not kept busy by a file of tiny packets", async () => {
    const page = { pieces: Array.from({ length: 255 }, () => hex("f8")) };
    const pages = ogg([headPage, tagsPage, ...Array.from({ length: 800 }, () => page)]);
    const stream = await openOggOpus(new BytesSource(pages));
    await expect(countOpusSamples(stream)).rejects.toThrow(/more packets than a recording/u);
  });

  it("is not kept busy by a file of stream beginnings", async () => {
    const source = new BytesSource(
      ogg(Array.from({ length: 50_000 }, (_, serial) => ({ flags: 2, serial, pieces: [] }))),
    );
    await expect(openOggOpus(source)).rejects.toMatchObject({ code: "AUDIO_FORMAT_UNSUPPORTED" });
    expect(source.readByteLength).toBeLessThan(100_000);
  });
});

const ebml = (id: string, body: Uint8Array): Buffer => {
  const size = Buffer.alloc(4);
  size.writeUInt32BE(0x1000_0000 + body.byteLength);
  return Buffer.concat([hex(id), size, body]);
};
const live = (id: string) => Buffer.concat([hex(id), hex("01ffffffffffffff")]);
const opusTrack = (...more: Uint8Array[]) =>
  ebml(
    "ae",
    Buffer.concat([ebml("d7", hex("01")), ebml("83", hex("02")), ebml("86", Buffer.from("A_OPUS")), ...more]),
  );
const webm = (tracks: Uint8Array, ...rest: Uint8Array[]) =>
  Buffer.concat([
    ebml("1a45dfa3", ebml("4282", Buffer.from("webm"))),
    live("18538067"),
    ebml("1654ae6b", tracks),
    ...rest,
  ]);
const simpleBlock = (frame: Uint8Array, track = "81", flags = "80") =>
  ebml("a3", Buffer.concat([hex(`${track}0000${flags}`), frame]));
const head = ebml("63a2", opusHead(1, 312));
const webmPackets = async (bytes: Uint8Array) => await packetsOf(await openWebmOpus(new BytesSource(bytes)));

describe("WebM with Opus", () => {
  it("is read from clusters of unknown size, without the blocks of other tracks", async () => {
    const other = simpleBlock(hex("00"), "82");
    const cluster = [live("1f43b675"), ebml("e7", hex("00")), simpleBlock(silence), other];
    expect(await webmPackets(webm(opusTrack(head), ...cluster, ...cluster))).toHaveLength(2);
  });

  it("without an Opus header takes the delay and the channels of the track", async () => {
    const track = opusTrack(ebml("56aa", hex("632ea0")), ebml("e1", ebml("9f", hex("02"))));
    const { head: found } = await openWebmOpus(new BytesSource(webm(track)));
    expect(found).toEqual({ channels: 2, preSkipSamples: 312, gain: 1 });
  });

  it.each([
    ["0098967f", 480],
    ["00", 0],
    ["ff67697f", 0],
    ["7fffffffffffffff", 960],
  ])("trims a packet by a padding of %s ns", async (padding, trimmed) => {
    const group = ebml(
      "a0",
      Buffer.concat([ebml("a1", Buffer.concat([hex("81000000"), silence])), ebml("75a2", hex(padding))]),
    );
    const found = await webmPackets(webm(opusTrack(head), live("1f43b675"), simpleBlock(silence), group));
    expect(found.map(({ trimmedSamples }) => trimmedSamples)).toEqual([0, trimmed]);
  });

  it.each([
    ["video", webm(Buffer.concat([ebml("ae", ebml("83", hex("01"))), opusTrack(head)])), /WebM with video/u],
    ["Vorbis", webm(ebml("ae", ebml("86", Buffer.from("A_VORBIS")))), /WebM with Vorbis/u],
    ["no track", webm(Buffer.alloc(0)), /WebM with no audio/u],
    ["a compressed track", webm(opusTrack(head, ebml("6d80", hex("00")))), /compressed or encrypted/u],
    ["no list of tracks", Buffer.concat([live("18538067"), live("1f43b675")]), /without a list of tracks/u],
    [
      "an unknown element",
      webm(opusTrack(head), live("1f43b675"), ebml("4444", hex("00"))),
      /damaged at byte/u,
    ],
    ["noise", webm(opusTrack(head), Buffer.alloc(40)), /damaged at byte/u],
    [
      "a block without content",
      webm(opusTrack(head), live("1f43b675"), ebml("a3", hex("81"))),
      /damaged at byte/u,
    ],
    ["a huge list of tracks", webm(Buffer.alloc(2_000_000)), /too long for audio/u],
  ])("is refused with %s", async (_, bytes, message) => {
    await expect(webmPackets(bytes)).rejects.toThrow(message);
    await expect(webmPackets(bytes)).rejects.toMatchObject({ code: "AUDIO_FORMAT_UNSUPPORTED" });
  });

  it("is not kept busy by a file of empty elements", async () => {
    const empty = Buffer.alloc(900_000, hex("ec80"));
    await expect(webmPackets(webm(opusTrack(head), empty))).rejects.toThrow(
      /more elements than a recording/u,
    );
  });

  it.each([
    ["no lacing", "8100008001020304", ["01020304"]],
    ["Xiph lacing", "81000082020102aabbbbccdd", ["aa", "bbbb", "ccdd"]],
    ["EBML lacing", "8100008602" + "82c0" + "aaaabbbbbbcc", ["aaaa", "bbbbbb", "cc"]],
    ["fixed lacing", "8100008401aabb", ["aa", "bb"]],
  ])("unpacks a block with %s", (_, block, frames) => {
    expect(parseWebmBlock(hex(block))).toEqual({
      track: 1,
      frames: frames.map((frame) => Buffer.from(hex(frame))),
    });
  });

  it.each([
    "",
    "00",
    "81",
    "810000",
    "81000082",
    "8100008201ff",
    "8100008401aabbcc",
    "810000860182",
    "81000086028480",
  ])("sees damage in the block %s", (block) => {
    expect(parseWebmBlock(hex(block))).toBeNull();
  });

  it("gives every byte of a block to exactly one frame", () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 60 }),
        fc.constantFrom(0x80, 0x82, 0x84, 0x86),
        (body, flags) => {
          const block = parseWebmBlock(Buffer.concat([hex("810000"), Uint8Array.of(flags), body]));
          const total = block?.frames.reduce((sum, frame) => sum + frame.byteLength, 0) ?? 0;
          expect(total).toBeLessThanOrEqual(body.byteLength);
        },
      ),
    );
  });
});
