import { beforeAll, describe, expect, it, jest } from "@jest/globals";
import fc from "fast-check";

import { HalfRateResampler } from "../../src/services/audio/formats/half-rate.js";
import { convertOpusToPcm } from "../../src/services/audio/formats/opus-to-pcm.js";
import { parseOpusHead, type OpusStream } from "../../src/services/audio/formats/opus-stream.js";
import { recogniseAudio } from "../../src/services/audio/formats/recognise.js";
import {
  amplitudeAt,
  BytesSource,
  decibels,
  opusFile,
  opusHead,
  opusPackets,
  tone,
} from "../helpers/audio-fixtures.js";

const at48kHz = (frequencyHz: number) =>
  tone({ sampleRate: 48_000, channels: 1, durationMs: 500, frequencyHz, amplitude: 1 });

function resampled(input: Float32Array, splits: number[] = []): Float32Array {
  const resampler = new HalfRateResampler();
  const places = [
    0,
    ...splits.map((split) => split % (input.length + 1)).sort((a, b) => a - b),
    input.length,
  ];
  const parts = places.slice(1).map((end, index) => resampler.push(input.subarray(places[index], end)));
  return Float32Array.from([...parts, resampler.flush()].flatMap((part) => [...part]));
}

// Without the ends, where the tone sets in.
const middle = (samples: Float32Array) => samples.subarray(500, samples.length - 500);
const loudness = (samples: Float32Array) => Math.max(...middle(samples).map(Math.abs));

describe("resampling from 48 to 24 kHz", () => {
  it.each([50, 440, 1000, 4000, 8000, 10_000])("lets %i Hz pass unchanged", (frequencyHz) => {
    const output = resampled(at48kHz(frequencyHz));
    expect(Math.abs(decibels(amplitudeAt(middle(output), frequencyHz, 24_000)))).toBeLessThan(0.02);
  });

  it.each([12_000, 12_500, 13_000, 14_000, 16_000, 18_000, 20_000, 23_000, 23_990])(
    "damps %i Hz, which would fold over, by 60 dB at least",
    (frequencyHz) => {
      expect(decibels(loudness(resampled(at48kHz(frequencyHz))))).toBeLessThan(-60);
    },
  );

  it("keeps the time: output n is input 2n", () => {
    const input = at48kHz(700);
    const output = middle(resampled(input));
    const off = output.map((sample, index) => Math.abs(sample - (input[2 * (index + 500)] ?? 0)));
    expect(Math.max(...off)).toBeLessThan(0.001);
  });

  it("gives half as many samples, and the same ones however the input is split", () => {
    const input = tone({ sampleRate: 48_000, channels: 1, durationMs: 20, frequencyHz: 900 });
    const whole = resampled(input);
    expect(whole).toHaveLength(480);
    fc.assert(
      fc.property(fc.array(fc.nat(), { maxLength: 12 }), (splits) => {
        expect(resampled(input, splits)).toEqual(whole);
      }),
    );
  });

  it.each([0, 1, 2, 3, 139, 140, 141, 142, 143])("of %i samples gives half of them, rounded up", (length) => {
    expect(resampled(new Float32Array(length))).toHaveLength(Math.ceil(length / 2));
  });
});

async function converted(stream: OpusStream, maxPcmByteLength = 10_000_000) {
  const parts: Uint8Array[] = [];
  const byteLength = await convertOpusToPcm(stream, {
    maxPcmByteLength,
    sink: (pcm) => {
      parts.push(pcm);
      return Promise.resolve();
    },
  });
  const pcm = Buffer.concat(parts);
  expect(pcm.byteLength).toBe(byteLength);
  const samples = Float32Array.from(
    { length: byteLength / 2 },
    (_, index) => pcm.readInt16LE(2 * index) / 32_768,
  );
  return { byteLength, samples, longestPart: Math.max(0, ...parts.map((part) => part.byteLength)) };
}

async function recognisedStream(bytes: Uint8Array): Promise<OpusStream> {
  const recognised = await recogniseAudio(new BytesSource(bytes));
  if (!("stream" in recognised)) throw new Error(`Recognised as ${recognised.kind}.`);
  return recognised.stream;
}

const streamOf = (packets: Uint8Array[], head = opusHead(2, 0)): OpusStream => ({
  head: parseOpusHead(head),
  packets: async function* () {
    for (const bytes of packets) yield await Promise.resolve({ bytes, trimmedSamples: 0 });
  },
});

describe("converting a recording to 24 kHz mono", () => {
  let mono: Uint8Array[];
  let stereo: Uint8Array[];
  beforeAll(() => {
    mono = opusPackets({ channels: 1, durationMs: 1000, frequencyHz: 1000 });
    stereo = opusPackets({ channels: 2, durationMs: 1000, frequencyHz: 1000 });
  });

  it.each([
    ["webm", 1],
    ["webm-live", 1],
    ["ogg", 1],
    ["webm", 2],
    ["ogg", 2],
  ] as const)("keeps length, pitch and loudness of %s with %i channels", async (container, channels) => {
    const file = await opusFile(container, channels === 1 ? mono : stereo, opusHead(channels, 312));
    const { byteLength, samples } = await converted(await recognisedStream(file));
    expect(byteLength).toBe(48_000 - 312);
    expect(amplitudeAt(middle(samples), 1000, 24_000)).toBeCloseTo(0.5, 1);
    expect(amplitudeAt(middle(samples), 3000, 24_000)).toBeLessThan(0.005);
  });

  it("applies the output gain, and clips what gets too loud", async () => {
    const quiet = await converted(streamOf(mono, opusHead(1, 0, -20 * 256)));
    expect(amplitudeAt(middle(quiet.samples), 1000, 24_000)).toBeCloseTo(0.05, 2);
    const loud = await converted(streamOf(mono, opusHead(1, 0, 40 * 256)));
    expect(Math.max(...loud.samples)).toBeCloseTo(1, 3);
    expect(Math.min(...loud.samples)).toBe(-1);
  });

  it("drops what the container trims", async () => {
    const stream: OpusStream = {
      head: parseOpusHead(opusHead(1, 0)),
      packets: async function* () {
        for (const bytes of mono.slice(0, 3)) yield await Promise.resolve({ bytes, trimmedSamples: 300 });
      },
    };
    expect((await converted(stream)).byteLength).toBe(3 * (960 - 300));
  });

  it("is empty where more is skipped than there is", async () => {
    expect((await converted(streamOf(mono.slice(0, 2), opusHead(1, 60_000)))).byteLength).toBe(0);
  });

  it("hands out small parts and reads through a small window", async () => {
    const source = new BytesSource(await opusFile("webm-live", mono.concat(mono, mono, mono)));
    const recognised = await recogniseAudio(source);
    if (!("stream" in recognised)) throw new Error("Not convertible.");
    expect((await converted(recognised.stream)).longestPart).toBeLessThanOrEqual(32_768);
    expect(source.longestRead).toBeLessThanOrEqual(65_536);
  });

  it("stops as soon as the output gets too long", async () => {
    const endless: OpusStream = {
      head: parseOpusHead(opusHead(1, 0)),
      packets: async function* () {
        for (;;) yield await Promise.resolve({ bytes: mono[0] ?? new Uint8Array(0), trimmedSamples: 0 });
      },
    };
    await expect(converted(endless, 200_000)).rejects.toMatchObject({
      code: "AUDIO_TOO_LARGE",
      message: expect.stringContaining("4 seconds"),
    });
  });

  it("accepts exactly the greatest length", async () => {
    expect((await converted(streamOf(mono), 48_000)).byteLength).toBe(48_000);
    await expect(converted(streamOf(mono), 47_999)).rejects.toMatchObject({ code: "AUDIO_TOO_LARGE" });
  });

  it("stops when it is aborted, and when the sink fails", async () => {
    const stop = new Error("stop");
    const sink = () => Promise.resolve();
    const aborted = { sink, maxPcmByteLength: 1e9, signal: AbortSignal.abort(stop) };
    await expect(convertOpusToPcm(streamOf(mono), aborted)).rejects.toBe(stop);
    const failing = { sink: () => Promise.reject(stop), maxPcmByteLength: 1e9 };
    await expect(convertOpusToPcm(streamOf(mono), failing)).rejects.toBe(stop);
  });

  it("refuses a packet that is not Opus, and passes over an empty one", async () => {
    const broken = [...mono.slice(0, 3), Uint8Array.of(0xfb, 0x07), ...mono];
    await expect(converted(streamOf(broken))).rejects.toMatchObject({
      code: "AUDIO_FORMAT_UNSUPPORTED",
      message: expect.stringContaining("packet 4 is not Opus"),
    });
    expect((await converted(streamOf([new Uint8Array(0), ...mono]))).byteLength).toBe(48_000);
  });

  it("takes turns of coding modes, 60 ms frames among them", async () => {
    // A stereo decoder of this library overwrites its own memory on these.
    const turns = [
      Uint8Array.of(132, 0, 7),
      Uint8Array.of(60, 0, 0),
      Uint8Array.of(139, 129, 0, 0),
      Uint8Array.of(60, 0, 0),
    ];
    const { byteLength, samples } = await converted(streamOf([...turns, ...turns, ...stereo]));
    expect(byteLength).toBe(2 * (120 + 2880 + 240 + 2880) + 48_000);
    expect(amplitudeAt(samples.subarray(7000), 1000, 24_000)).toBeCloseTo(0.5, 1);
  });

  it("gets through any bytes in packets of any shape, with one line on the console at most", async () => {
    const written = jest.spyOn(console, "error").mockImplementation(() => undefined);
    const packet = fc
      .tuple(fc.nat(255), fc.uint8Array({ maxLength: 400 }))
      .map(([toc, body]) => Uint8Array.of(toc, ...body));
    await fc.assert(
      fc.asyncProperty(fc.array(packet, { maxLength: 6 }), async (packets) => {
        written.mockClear();
        const outcome = await converted(streamOf(packets)).catch((error: unknown) => error);
        expect(outcome).toEqual(
          outcome instanceof Error
            ? expect.objectContaining({ code: "AUDIO_FORMAT_UNSUPPORTED" })
            : expect.objectContaining({ byteLength: expect.any(Number) }),
        );
        expect(written.mock.calls.length).toBeLessThanOrEqual(outcome instanceof Error ? 1 : 0);
      }),
      { numRuns: 150 },
    );
    written.mockRestore();
  });
});
