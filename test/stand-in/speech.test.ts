import { createHash } from "node:crypto";
import { afterAll, describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { ALL_FORMATS, BufferSource, Input } from "mediabunny";
import { pronounceable } from "../../src/stand-in/speech/pieces.js";
import { resample16kTo24k } from "../../src/stand-in/speech/resample.js";
import { createSpeechWorker } from "../../src/stand-in/speech/speech-worker.js";
import { createFliteSpeech, createSoundCache } from "../../src/stand-in/speech/speech.js";
import { providerVoices } from "../../src/stand-in/speech/voices.js";
import {
  collect,
  deltaOf,
  post,
  readChunks,
  readSpoken,
  spokenRequest,
  streamRequest,
  withStandIn,
} from "./support.js";

// One speech worker for the tests that only read from it: it takes most of a second to start.
const speech = createFliteSpeech(createSpeechWorker());
afterAll(() => speech.close());

describe("synthetic speech", () => {
  it("has a voice of its own for each of the provider's names, and for an added one", async () => {
    const sounds = new Set<string>();
    for (const voice of [...providerVoices, "bob"]) {
      const pcm = await speech.speak("Good morning.", voice);
      expect(pcm.byteLength / 48_000).toBeGreaterThan(0.4);
      expect(pcm.byteLength / 48_000).toBeLessThan(2.5);
      expect(loudness(pcm)).toBeGreaterThan(300);
      sounds.add(createHash("sha256").update(pcm).digest("hex"));
    }
    expect(sounds.size).toBe(providerVoices.length + 1);
  });

  it("is the same for the same words, and a short pause where nothing can be spoken", async () => {
    const once = await speech.speak("The same.", "echo");
    expect(await speech.speak("The same.", "echo")).toEqual(once);
    const pause = await speech.speak("日本語。", "echo");
    expect([pause.byteLength, loudness(pause)]).toEqual([12_000, 0]);
  });

  it("survives words that are hard to speak", async () => {
    const hard = [
      "-voice kal",
      "é".repeat(50),
      "x".repeat(5000),
      "\u0000\u0007",
      "100% <b>of</b> $5 & 'more'",
    ];
    for (const words of hard) expect((await speech.speak(words, "alloy")).byteLength).toBeGreaterThan(0);
  });

  it("begins to arrive after the first sentence of a long answer", async () => {
    await withStandIn({ speech: "flite" }, async (standIn) => {
      const messages = [{ role: "user", content: "Count to 40" }];
      const chunks = await readChunks(await post(standIn, streamRequest({ messages })));
      const firstSound = chunks.findIndex((chunk) => deltaOf(chunk)?.audio?.data !== undefined);
      const wordsBefore = collect(chunks.slice(0, firstSound)).transcript;
      expect(wordsBefore.trim()).toBe("1, 2, 3, 4, 5, 6, 7, 8, 9, 10.");
      expect(collect(chunks).transcript).toMatch(/ 40\.$/);
      expect(collect(chunks).pcm.byteLength / 48_000).toBeGreaterThan(10);
    });
  });
});

describe("a whole answer's file", () => {
  const files = [
    ["wav", "WAVE", "pcm-s16", 24_000],
    ["mp3", "MP3", "mp3", 24_000],
    ["flac", "FLAC", "flac", 24_000],
    ["opus", "Ogg", "opus", 48_000],
    ["aac", "ADTS", "aac", 24_000],
  ] as const;

  it("is what was asked for, in every format, and as long as what was spoken", async () => {
    await withStandIn({}, async (standIn) => {
      for (const [format, container, codec, sampleRate] of files) {
        const body = spokenRequest({ audio: { voice: "alloy", format } });
        const { bytes } = await readSpoken(await post(standIn, body));
        const input = new Input({ source: new BufferSource(Uint8Array.from(bytes)), formats: ALL_FORMATS });
        const track = await input.getPrimaryAudioTrack();
        const kind = (await input.getFormat()).name;
        expect([kind, await track?.getCodec(), await track?.getSampleRate()]).toEqual([
          container,
          codec,
          sampleRate,
        ]);
        // The encoders fill up their last frame: the tone lasts a second.
        expect(Math.abs((await input.computeDuration()) - 1)).toBeLessThan(0.1);
      }
    });
  });

  it("can be the bare samples", async () => {
    await withStandIn({}, async (standIn) => {
      const { bytes } = await readSpoken(await post(standIn, spokenRequest()));
      expect(bytes.byteLength).toBe(48_000);
    });
  });
});

describe("resampling from 16 to 24 kHz", () => {
  const sine = (frequencyHz: number, sampleRate: number, length: number) =>
    Int16Array.from({ length }, (_, index) =>
      Math.round(10_000 * Math.sin((2 * Math.PI * frequencyHz * index) / sampleRate)),
    );

  it.each([100, 440, 1000, 3000, 6000, 7000])(
    "keeps a tone of %d Hz and adds nothing audible",
    (frequencyHz) => {
      const output = resample16kTo24k(sine(frequencyHz, 16_000, 8000));
      const expected = sine(frequencyHz, 24_000, output.length);
      expect(output.length).toBe(12_000);
      const middle = [...output.keys()].slice(300, -300);
      const error = Math.sqrt(
        middle.reduce((sum, index) => sum + ((output[index] ?? 0) - (expected[index] ?? 0)) ** 2, 0) /
          middle.length,
      );
      // -60 dB of the tone's own level (7,071 rms), rounding to 16 bit included.
      expect(error).toBeLessThan(7.1);
    },
  );

  it("stays within 16 bits and gives three samples for two, for any input", () => {
    fc.assert(
      fc.property(fc.int16Array({ maxLength: 400 }), (input) => {
        expect(resample16kTo24k(input).length).toBe(Math.floor((input.length * 3) / 2));
      }),
    );
    const square = Int16Array.from({ length: 400 }, (_, index) => (index % 20 < 10 ? 32_767 : -32_768));
    expect(Math.max(...resample16kTo24k(square))).toBe(32_767);
  });
});

describe("what flite is given to read", () => {
  it("is printable ASCII with words of at most 40 characters, and empty where nothing can be spoken", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", maxLength: 200 }), (text) => {
        const words = pronounceable(text);
        expect(words).toMatch(/^[\x20-\x7e]*$/);
        expect(words === "" || /[A-Za-z0-9]/.test(words)).toBe(true);
        expect(Math.max(...words.split(" ").map((word) => word.length))).toBeLessThanOrEqual(40);
      }),
    );
    expect(pronounceable("Où est le café ? …")).toBe("Ou est le cafe ? ...");
  });
});

describe("the cache of sounds", () => {
  it("holds what was used last and no more bytes than it may", () => {
    const cache = createSoundCache(100);
    cache.set("a", new Uint8Array(40));
    cache.set("b", new Uint8Array(40));
    cache.get("a");
    cache.set("c", new Uint8Array(40));
    expect(
      [cache.get("a"), cache.get("b"), cache.get("c")].map((sound) => sound?.byteLength ?? null),
    ).toEqual([40, null, 40]);
    cache.set("d", new Uint8Array(101));
    expect([cache.get("a"), cache.get("d")]).toEqual([null, null]);
  });
});

function loudness(pcm: Uint8Array): number {
  const samples = new Int16Array(Uint8Array.from(pcm).buffer);
  return Math.sqrt(samples.reduce((sum, sample) => sum + sample ** 2, 0) / samples.length);
}
