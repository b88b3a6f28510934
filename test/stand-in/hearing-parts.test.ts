import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { mendModule } from "../../src/stand-in/hearing/mend-module.js";
import { asSentence } from "../../src/stand-in/hearing/sentence.js";
import { resampleTo16k } from "../../src/stand-in/hearing/to-16k.js";
import { confidence, understand } from "../../src/stand-in/hearing/understand.js";
import { readWavSamples, type MonoSound } from "../../src/stand-in/hearing/wav-samples.js";

describe("mending a module", () => {
  const f64Argument = 0x7c;
  const f32Argument = 0x7d;
  const i32Result = 0x7f;
  const i64Result = 0x7e;

  const section = (id: number, ...content: number[]) => [id, content.length, ...content];
  const name = (text: string) => [text.length, ...Buffer.from(text)];

  /** A module with a memory of one page, two at most, and a function `f` with one argument and the given body. */
  function smallModule(argument: number, result: number, ...body: number[]): Uint8Array {
    const code = [0, 0x20, 0, ...body, 0x0b];
    return Uint8Array.from([
      ...Buffer.from("\0asm\x01\0\0\0", "latin1"),
      ...section(1, 1, 0x60, 1, argument, 1, result),
      ...section(2, 1, ...name("env"), ...name("memory"), 2, 1, 1, 2),
      ...section(3, 1, 0),
      ...section(7, 1, ...name("f"), 0, 0),
      ...section(10, 1, code.length, ...code),
    ]);
  }

  interface Memory {
    buffer: ArrayBuffer;
  }
  interface Engine {
    Memory: new (limits: { initial: number; maximum: number }) => Memory;
    Module: new (bytes: Uint8Array) => object;
    Instance: new (module: object, imports: object) => { exports: { f: (value: number) => number | bigint } };
  }
  const engine = (globalThis as unknown as { WebAssembly: Engine }).WebAssembly;
  const run = (bytes: Uint8Array, value: number, maximum = 2) => {
    const memory = new engine.Memory({ initial: 1, maximum });
    return new engine.Instance(new engine.Module(bytes), { env: { memory } }).exports.f(value);
  };

  it.each([
    ["i32.trunc_f32_s", 0xa8, f32Argument, i32Result, 2 ** 31 - 1],
    ["i32.trunc_f32_u", 0xa9, f32Argument, i32Result, -1],
    ["i32.trunc_f64_s", 0xaa, f64Argument, i32Result, 2 ** 31 - 1],
    ["i32.trunc_f64_u", 0xab, f64Argument, i32Result, -1],
    ["i64.trunc_f32_s", 0xae, f32Argument, i64Result, 2n ** 63n - 1n],
    ["i64.trunc_f32_u", 0xaf, f32Argument, i64Result, -1n],
    ["i64.trunc_f64_s", 0xb0, f64Argument, i64Result, 2n ** 63n - 1n],
    ["i64.trunc_f64_u", 0xb1, f64Argument, i64Result, -1n],
  ])("makes %s saturate", (_name, opcode, argument, result, most) => {
    const bytes = smallModule(argument, result, opcode);
    expect(() => run(bytes, 1e30)).toThrow("unrepresentable");
    const mended = mendModule(bytes, 2);
    expect(mended.conversions).toBe(1);
    expect(run(mended.bytes, 1e30)).toBe(most);
    expect(Number(run(mended.bytes, 7.9))).toBe(7);
  });

  it("leaves operands alone that look like such opcodes", () => {
    // The constant 0xAA = 170 as LEB128 (AA 01) and the bytes of a double.
    const body = [0xaa, 0x41, 0xaa, 0x01, 0x6a, 0x44, ...Array<number>(8).fill(0xaa), 0x1a];
    const mended = mendModule(smallModule(f64Argument, i32Result, ...body), 2);
    expect([mended.conversions, run(mended.bytes, 5)]).toEqual([1, 175]);
  });

  it("raises the memory that may be handed in", () => {
    const bytes = smallModule(f64Argument, i32Result, 0xaa);
    expect(() => run(bytes, 1, 300)).toThrow("maximum");
    expect(run(mendModule(bytes, 300).bytes, 1, 300)).toBe(1);
  });

  it("refuses what is no module of that time, and ends", () => {
    const bytes = smallModule(f64Argument, i32Result, 0xaa);
    expect(() => mendModule(bytes.subarray(0, -3), 2)).toThrow("cannot be mended");
    expect(() => mendModule(smallModule(f64Argument, i32Result, 0xfd, 0x0c), 2)).toThrow("opcode 0xfd");
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.nat(255), (index, value) => {
        const broken = Uint8Array.from(bytes);
        broken[index] = value;
        try {
          mendModule(broken, 2);
        } catch (error) {
          expect(String(error)).toContain("cannot be mended");
        }
      }),
    );
  });
});

/** A WAV file with one data chunk. */
function wav(coding: { code: number; bits: number; channels?: number; rate?: number }, data: Buffer): Buffer {
  const { code, bits, channels = 1, rate = 16_000 } = coding;
  const header = Buffer.alloc(44);
  header.write("RIFF\0\0\0\0WAVEfmt ", 0, "latin1");
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(code, 20);
  header.writeUInt16LE(channels, 22);
  header.writeUInt32LE(rate, 24);
  header.writeUInt32LE((rate * channels * bits) / 8, 28);
  header.writeUInt16LE((channels * bits) / 8, 32);
  header.writeUInt16LE(bits, 34);
  header.write("data", 36, "latin1");
  header.writeUInt32LE(data.byteLength, 40);
  return Buffer.concat([header, data]);
}

/** The values, each written into so many bytes. */
function written(values: number[], size: number, write: (buffer: Buffer, value: number) => void): Buffer {
  return Buffer.concat(
    values.map((value) => {
      const buffer = Buffer.alloc(size);
      write(buffer, value);
      return buffer;
    }),
  );
}

describe("reading the samples of a WAV file", () => {
  const values = [0, 0.5, -0.5, 0.25];
  const samples = (bytes: Uint8Array, seconds = 10) => [...(readWavSamples(bytes, seconds)?.samples ?? [])];

  it.each([
    ["8 bit", 1, 8, written(values, 1, (to, value) => to.writeUInt8(128 + value * 128))],
    ["16 bit", 1, 16, written(values, 2, (to, value) => to.writeInt16LE(value * 32_768))],
    ["24 bit", 1, 24, written(values, 3, (to, value) => to.writeIntLE(value * 8_388_608, 0, 3))],
    ["32 bit", 1, 32, written(values, 4, (to, value) => to.writeInt32LE(value * 2_147_483_648))],
    ["floats", 3, 32, written(values, 4, (to, value) => to.writeFloatLE(value))],
    ["double floats", 3, 64, written(values, 8, (to, value) => to.writeDoubleLE(value))],
  ])("understands %s", (_name, code, bits, data) => {
    expect(samples(wav({ code, bits }, data))).toEqual(values);
  });

  it("understands A-law and µ-law", () => {
    // The codes of G.711 for the largest positive and negative value, and for the smallest positive one.
    const aLaw = samples(wav({ code: 6, bits: 8 }, Buffer.from([0xaa, 0x2a, 0xd5])));
    expect(aLaw.map((value) => value * 32_768)).toEqual([32_256, -32_256, 8]);
    const muLaw = samples(wav({ code: 7, bits: 8 }, Buffer.from([0x80, 0x00, 0xff])));
    expect(muLaw.map((value) => value * 32_768)).toEqual([32_124, -32_124, 0]);
  });

  it("mixes channels, reads the extensible format, and stops where it is told to", () => {
    const stereo = written([0.5, 0, -0.25, 0.75], 2, (to, value) => to.writeInt16LE(value * 32_768));
    expect(samples(wav({ code: 1, bits: 16, channels: 2 }, stereo))).toEqual([0.25, 0.25]);
    const plain = wav({ code: 0xfffe, bits: 16 }, stereo);
    const guid = Buffer.concat([Buffer.alloc(8), Buffer.from([1]), Buffer.alloc(15)]);
    const extensible = Buffer.concat([plain.subarray(0, 36), guid, plain.subarray(36)]);
    extensible.writeUInt32LE(40, 16);
    expect(samples(extensible)).toEqual([0.5, 0, -0.25, 0.75]);
    const cut = readWavSamples(wav({ code: 1, bits: 16, rate: 4000 }, Buffer.alloc(16_000)), 1.5);
    expect([cut?.samples.length, cut?.isCut]).toEqual([6000, true]);
  });

  it("answers null for other codings, and throws for nothing", () => {
    expect(readWavSamples(wav({ code: 2, bits: 4 }, Buffer.alloc(100)), 10)).toBeNull();
    expect(readWavSamples(Buffer.from("ID3 and so on, but no WAV"), 10)).toBeNull();
    const good = wav({ code: 3, bits: 32 }, Buffer.alloc(40, 0xff));
    fc.assert(
      fc.property(fc.nat(43), fc.nat(255), fc.nat(84), (index, value, length) => {
        const broken = Buffer.from(good);
        broken[index] = value;
        const read = readWavSamples(broken.subarray(0, length), 10);
        expect(read?.samples.every(Number.isFinite) ?? true).toBe(true);
      }),
    );
  });
});

describe("resampling to 16 kHz", () => {
  const sine = (frequencyHz: number, sampleRate: number): MonoSound => ({
    sampleRate,
    samples: Float32Array.from({ length: sampleRate / 4 }, (_, index) => {
      return 0.5 * Math.sin((2 * Math.PI * frequencyHz * index) / sampleRate);
    }),
    isCut: false,
  });
  const rms = (values: readonly number[]) =>
    Math.sqrt(values.reduce((sum, value) => sum + value ** 2, 0) / values.length);

  it.each([8000, 11_025, 16_000, 22_050, 24_000, 44_100, 48_000, 96_000])(
    "keeps a tone of 1 kHz that came at %d Hz",
    (sampleRate) => {
      const output = [...resampleTo16k(sine(1000, sampleRate))];
      const expected = output.map((_, index) => 16_384 * Math.sin((2 * Math.PI * 1000 * index) / 16_000));
      const middle = [...output.keys()].slice(300, -300);
      // -40 dB of the tone: far below what a recognizer notices.
      expect(rms(middle.map((index) => (output[index] ?? 0) - (expected[index] ?? 0)))).toBeLessThan(120);
      expect(Math.abs(output.length - 4000)).toBeLessThanOrEqual(1);
    },
  );

  it("lets nothing through that 16 kHz cannot hold", () => {
    const output = [...resampleTo16k(sine(12_000, 48_000))].slice(300, -300);
    expect(rms(output)).toBeLessThan(60);
  });
});

describe("what was heard, as a sentence", () => {
  it.each([
    ["is a golden retriever a good family dog", "Is a golden retriever a good family dog?"],
    ["my name is anna", "My name is Anna"],
    ["isabel is here", "Isabel is here"],
    ["hello what is my name", "Hello what is my name?"],
    ["what did i ask first", "What did I ask first?"],
    ["count to ten", "Count to 10"],
    ["please count from one to sixteen", "Please count to 16"],
    ["count two one hundred and twenty five", "Count to 125"],
    ["count to a hundred", "Count to 100"],
    ["down to ten", "Count to 10"],
    ["i went down to ten downing street", "I went down to ten downing street"],
  ])("%s", (words, sentence) => {
    expect(asSentence(words.split(" "))).toBe(sentence);
  });
});

describe("how sure it is", () => {
  /** Words of equal length, each with the given scores. */
  const segments = (words: string, frames: number, fit: number, likelihood: number) =>
    words.split(" ").map((word, index) => ({
      word,
      start: index * frames,
      end: (index + 1) * frames - 1,
      ascr: fit * frames,
      lscr: likelihood,
    }));

  it("depends on how well the sound fits, how likely the words are, and how fast they come", () => {
    const good = confidence(segments("what is my name", 25, -20_000, -290));
    expect(good).toBeGreaterThan(0);
    expect(confidence(segments("what is my name", 25, -50_000, -290))).toBeLessThan(0);
    expect(confidence(segments("what is my name", 25, -20_000, -690))).toBeLessThan(good);
    expect(confidence(segments("what is my name", 150, -20_000, -290))).toBeLessThan(0);
  });

  it("knows silences, noises and numbered pronunciations from words", () => {
    const heard = understand(segments("<s> read(2) it <sil> [NOISE] </s>", 30, -20_000, -200), null);
    expect(heard).toMatchObject({ kind: "words", text: "Read it" });
    expect(understand(segments("<s> <sil> [NOISE] </s>", 30, -20_000, -200), null)).toEqual({
      kind: "nothing",
    });
  });
});
