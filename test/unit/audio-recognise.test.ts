import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { beforeAll, describe, expect, it } from "@jest/globals";
import fc from "fast-check";

import { ParleyError } from "../../src/errors.js";
import { recogniseAudio } from "../../src/services/audio/formats/recognise.js";
import { measureReply, type ReplyFormat } from "../../src/services/audio/formats/reply-duration.js";
import { sniffAudio } from "../../src/services/audio/formats/sniff.js";
import { inputMimeTypes } from "../../src/services/audio/formats/unsupported.js";
import { wavHeader } from "../../src/services/audio/formats/wav-header.js";
import { FileAudioStore } from "../../src/storage/file-audio-store.js";
import {
  BytesSource,
  encodeTone,
  opusFile,
  opusHead,
  opusPackets,
  tone,
  toPcm16,
} from "../helpers/audio-fixtures.js";

const clip = { sampleRate: 24_000, channels: 1, durationMs: 1000, frequencyHz: 440 } as const;

async function makeFiles() {
  const pcm = toPcm16(tone(clip));
  const packets = opusPackets({ channels: 1, durationMs: 1000, frequencyHz: 440 });
  const header = { sampleRate: 24_000, channels: 1, bitsPerSample: 16, dataByteLength: pcm.byteLength };
  return {
    pcm,
    wav: Buffer.concat([wavHeader(header), pcm]),
    mp3: await encodeTone("mp3", clip),
    flac: await encodeTone("flac", clip),
    aac: await encodeTone("aac", clip),
    mp4: await encodeTone("mp4", clip),
    webm: await opusFile("webm-live", packets, opusHead(1, 312)),
    ogg: await opusFile("ogg", packets, opusHead(1, 312)),
  };
}

let files: Awaited<ReturnType<typeof makeFiles>>;
beforeAll(async () => {
  files = await makeFiles();
});

const recognise = (bytes: Uint8Array) => recogniseAudio(new BytesSource(bytes));
const ascii = (value: string) => Buffer.from(value.padEnd(64, "\0"), "latin1");

describe("audio that comes in", () => {
  it("is recognised and measured by its bytes", async () => {
    expect(await recognise(files.wav)).toEqual({
      kind: "wav",
      durationMs: 1000,
      sampleRate: 24_000,
      channels: 1,
      encoding: "pcm",
    });
    expect(await recognise(files.mp3)).toMatchObject({ kind: "mp3", sampleRate: 24_000, channels: 1 });
    expect(await recognise(files.webm)).toMatchObject({ kind: "webm-opus", durationMs: 994, channels: 1 });
    expect(await recognise(files.ogg)).toMatchObject({ kind: "ogg-opus", durationMs: 994, channels: 1 });
  });

  it.each([
    ["mp4", /an MP4 file \(brand isom\).*OfflineAudioContext\(1, 1, 24000\).*linear PCM/su],
    ["aac", /AAC \(ADTS\).*OfflineAudioContext/su],
    ["flac", /This audio is FLAC\. Accepted are WAV, MP3, WebM with Opus and Ogg with Opus\./u],
  ] as const)("as %s is refused with a way out", async (format, message) => {
    await expect(recognise(files[format])).rejects.toThrow(message);
    await expect(recognise(files[format])).rejects.toMatchObject({
      code: "AUDIO_FORMAT_UNSUPPORTED",
      retryable: false,
    });
  });

  it.each([
    ["nothing", Buffer.alloc(0), /empty: it has no bytes/u],
    ["text", ascii("Hello, is anybody there?"), /in no format that is known.*needs a WAV header/su],
    ["silence without a header", Buffer.alloc(9000), /in no format that is known/u],
    ["one byte", Buffer.from([0xff]), /in no format that is known/u],
    ["an AIFF file", ascii("FORM\0\0\0\0AIFF"), /is AIFF/u],
    ["an AVI file", ascii("RIFF\0\0\0\0AVI "), /AVI video/u],
    ["an AMR file", ascii("#!AMR\n"), /is AMR/u],
    ["Windows Media", Buffer.from("3026b2758e66cf11a6d900aa0062ce6c", "hex"), /Windows Media/u],
    ["a WAV file above 4 GB", ascii("RF64\xff\xff\xff\xffWAVE"), /RF64/u],
    ["a data URL", ascii("data:audio/wav;base64,UklGR"), /a data URL/u],
    ["base64 text", ascii("UklGRiQAAABXQVZF"), /base64 text of a WAV file/u],
    ["MPEG layer II", Buffer.from("fffda0c0".padEnd(800, "0"), "hex"), /layer II,/u],
    [
      "AAC behind an ID3 tag",
      Buffer.concat([ascii("ID3\x04\0\0\0\0\0\x36"), Buffer.from("fff150801f3ffc00ffff", "hex")]),
      /AAC/u,
    ],
    [
      "Ogg Vorbis",
      Buffer.from("4f676753000200000000000000000100000000000000000000000107" + "01766f72626973", "hex"),
      /Ogg with Vorbis/u,
    ],
    [
      "Ogg with nothing in it",
      Buffer.from("4f676753000200000000000000000100000000000000000000000100", "hex"),
      /Ogg without Opus/u,
    ],
    ["WebM with nothing in it", Buffer.from("1a45dfa380", "hex"), /without a list of tracks/u],
    ["an ID3 tag without sound", ascii("ID3\x04\0\0\0\0\0\x36"), /holds no MP3 frames/u],
    [
      "a WAV file without sound",
      wavHeader({ ...clip, bitsPerSample: 16, dataByteLength: 0 }),
      /wav without any sound/u,
    ],
    [
      "a WAV file with ADPCM",
      Buffer.from("524946460000000057415645666d74201000000002000100c05d0000000000000000040064617461", "hex"),
      /ADPCM|without/u,
    ],
  ])("as %s is refused by name", async (_, bytes, message) => {
    await expect(recognise(bytes)).rejects.toThrow(message);
    await expect(recognise(bytes)).rejects.toBeInstanceOf(ParleyError);
  });

  it("has a MIME type for each kind in the list of capabilities", () => {
    expect(inputMimeTypes).toEqual([
      "audio/wav",
      "audio/mpeg",
      "audio/webm;codecs=opus",
      "audio/ogg;codecs=opus",
    ]);
  });

  it("is the same out of a draft, however it was split", async () => {
    const directory = await mkdtemp(join(tmpdir(), "parley-audio-"));
    const store = new FileAudioStore(directory);
    const kinds = fc.constantFrom("wav" as const, "mp3" as const, "webm" as const, "ogg" as const);
    await fc.assert(
      fc.asyncProperty(kinds, fc.integer({ min: 100, max: 30_000 }), async (kind, partByteLength) => {
        const draft = await store.create();
        const bytes = files[kind];
        for (let offset = 0; offset < bytes.byteLength; offset += partByteLength) {
          await draft.append(bytes.subarray(offset, offset + partByteLength));
        }
        const { durationMs, kind: found } = await recogniseAudio(draft);
        const expected = await recognise(bytes);
        expect({ durationMs, found }).toEqual({ durationMs: expected.durationMs, found: expected.kind });
        await draft.discard();
      }),
      { numRuns: 25 },
    );
    await rm(directory, { recursive: true });
  });
});

describe("the first bytes of an upload", () => {
  it("tell whether there is hope", () => {
    expect(sniffAudio(files.wav)).toEqual({ kind: "possible", container: "wav" });
    expect(sniffAudio(files.mp3)).toEqual({ kind: "possible", container: "mp3" });
    expect(sniffAudio(files.webm)).toEqual({ kind: "possible", container: "webm" });
    expect(sniffAudio(files.ogg)).toEqual({ kind: "possible", container: "ogg" });
    expect(sniffAudio(files.mp4)).toMatchObject({ kind: "unsupported", reason: "aac" });
  });

  it("never refuse what is accepted as a whole", async () => {
    const start = fc.constantFrom(
      "RIFF\x24\0\0\0WAVEfmt ",
      "OggS\0\x02",
      "\x1a\x45\xdf\xa3",
      "ID3\x04\0\0",
      "\xff\xfb\x90\xc0",
    );
    await fc.assert(
      fc.asyncProperty(start, fc.uint8Array({ maxLength: 3000 }), async (prefix, body) => {
        const bytes = Buffer.concat([Buffer.from(prefix, "latin1"), body]);
        const isAccepted = await recognise(bytes).then(
          () => true,
          () => false,
        );
        if (isAccepted) expect(sniffAudio(bytes).kind).toBe("possible");
      }),
    );
  });
});

describe("hostile bytes", () => {
  const outcome = async (bytes: Uint8Array) => {
    const result = await recognise(bytes).catch((error: unknown) => error);
    if (result instanceof Error)
      expect(result).toMatchObject({ name: "ParleyError", code: "AUDIO_FORMAT_UNSUPPORTED" });
    else expect(result).toMatchObject({ durationMs: expect.any(Number) });
  };

  it("of any kind end in a result or a refusal", async () => {
    await fc.assert(fc.asyncProperty(fc.uint8Array({ maxLength: 5000 }), outcome), { numRuns: 300 });
  });

  it.each(["wav", "mp3", "webm", "ogg"] as const)(
    "put into %s end in a result or a refusal",
    async (kind) => {
      const damage = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 20 });
      await fc.assert(
        fc.asyncProperty(damage, fc.nat(), fc.boolean(), async (changes, cut, early) => {
          const bytes = Uint8Array.from(files[kind]);
          // Half of the damage goes where the headers are.
          for (const [place, value] of changes) bytes[place % (early ? 400 : bytes.byteLength)] = value;
          await outcome(bytes.subarray(0, early ? bytes.byteLength : cut % bytes.byteLength));
        }),
        { numRuns: 300 },
      );
    },
  );
});

describe("the length of a reply", () => {
  it.each<[ReplyFormat, number]>([
    ["wav", 0],
    ["mp3", 80],
    ["flac", 1],
    ["aac", 90],
  ])("as %s is measured", async (format, tolerance) => {
    const durationMs = await measureReply(format, new BytesSource(files[format as "wav"]));
    expect(Math.abs((durationMs ?? 0) - 1000)).toBeLessThanOrEqual(tolerance);
  });

  it("as raw PCM follows from its bytes, as Opus from its packets", async () => {
    expect(await measureReply("pcm16", new BytesSource(files.pcm))).toBe(1000);
    expect(await measureReply("opus", new BytesSource(files.ogg))).toBe(994);
  });

  it("as FLAC is told by the last frame where the encoder left the count open", async () => {
    const open = Uint8Array.from(files.flac);
    // The count is the last 36 bits in front of the checksum of the samples.
    open.set([(open[21] ?? 0) & 0xf0, 0, 0, 0, 0], 21);
    expect(await measureReply("flac", new BytesSource(open))).toBe(1000);
    expect(await measureReply("flac", new BytesSource(open.subarray(0, 45)))).toBeNull();
  });

  it("as FLAC is null where its header claims more than can be", async () => {
    const boasting = Uint8Array.from(files.flac);
    boasting.set([(boasting[21] ?? 0) | 15, 255, 255, 255, 255], 21);
    expect(await measureReply("flac", new BytesSource(boasting))).toBeNull();
  });

  it.each<ReplyFormat>(["wav", "mp3", "flac", "opus", "aac"])(
    "is null for %s that is something else",
    async (format) => {
      expect(await measureReply(format, new BytesSource(Buffer.from("not what was asked for")))).toBeNull();
      expect(await measureReply(format, new BytesSource(new Uint8Array(0)))).toBeNull();
    },
  );

  it.each<ReplyFormat>(["wav", "mp3", "flac", "opus", "aac"])(
    "as %s fails where reading fails",
    async (format) => {
      const failure = new Error("disk");
      const broken = { byteLength: 1000, readAt: () => Promise.reject(failure) };
      await expect(measureReply(format, broken)).rejects.toBe(failure);
    },
  );

  it("of damaged clips is a number or null", async () => {
    const formats = fc.constantFrom("flac" as const, "aac" as const, "mp3" as const, "wav" as const);
    const damage = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(formats, damage, fc.boolean(), async (format, changes, early) => {
        const bytes = Uint8Array.from(files[format]);
        for (const [place, value] of changes) bytes[place % (early ? 60 : bytes.byteLength)] = value;
        const durationMs = await measureReply(format, new BytesSource(bytes));
        expect(durationMs === null || (durationMs >= 0 && durationMs < 2 ** 31)).toBe(true);
      }),
      { numRuns: 300 },
    );
  });
});
