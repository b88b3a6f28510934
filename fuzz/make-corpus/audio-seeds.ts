import {
  encodeTone,
  opusFile,
  opusHead,
  opusPackets,
  tone,
  toPcm16,
} from "../../test/helpers/audio-fixtures.js";

const short = { sampleRate: 8_000, channels: 1, durationMs: 60, frequencyHz: 440 } as const;

interface WavShape {
  formatTag?: number;
  channels?: number;
  bitsPerSample?: number;
  before?: Uint8Array;
  extension?: Uint8Array;
}

/** Small files of every format that is known, and of those that are refused by name. */
export async function audioSeeds(): Promise<Record<string, Uint8Array>> {
  const packets = opusPackets({ channels: 1, durationMs: 200, frequencyHz: 440 });
  const stereo = opusPackets({ channels: 2, durationMs: 100, frequencyHz: 440 });
  const mp3 = await encodeTone("mp3", { ...short, sampleRate: 24_000, durationMs: 150 });
  const id3 = Buffer.from("ID3\x03\0\0\0\0\0\x0aTIT2\0\0\0\0\0\0", "latin1");
  return {
    "wav-pcm16": wav({}),
    "wav-pcm8": wav({ bitsPerSample: 8 }),
    "wav-pcm24": wav({ bitsPerSample: 24, channels: 2 }),
    "wav-float": wav({ formatTag: 3, bitsPerSample: 32 }),
    "wav-mulaw": wav({ formatTag: 7, bitsPerSample: 8 }),
    "wav-extensible": wav({ formatTag: 0xfffe, extension: extensible() }),
    "wav-list": wav({ before: Buffer.from("LIST\x05\0\0\0INFOa\0fact\x04\0\0\0\0\0\0\0", "latin1") }),
    mp3,
    "mp3-id3": Buffer.concat([id3, mp3]),
    "mp3-tag": Buffer.concat([mp3, Buffer.from("TAG"), Buffer.alloc(125)]),
    "ogg-opus": await opusFile("ogg", packets),
    "ogg-opus-stereo": await opusFile("ogg", stereo, opusHead(2, 312, -256)),
    "ogg-chained": Buffer.concat([
      await opusFile("ogg", packets.slice(0, 3)),
      await opusFile("ogg", packets.slice(3)),
    ]),
    "webm-opus": await opusFile("webm", packets),
    "webm-live": await opusFile("webm-live", packets),
    "webm-stereo": await opusFile("webm", stereo, opusHead(2, 312)),
    flac: await encodeTone("flac", short),
    adts: await encodeTone("aac", { ...short, sampleRate: 16_000 }),
    mp4: await encodeTone("mp4", { ...short, sampleRate: 16_000 }),
    empty: new Uint8Array(0),
  };
}

function wav({ formatTag = 1, channels = 1, bitsPerSample = 16, before, extension }: WavShape): Uint8Array {
  const samples = toPcm16(tone(short));
  const fmt = Buffer.alloc(16);
  const blockAlign = (channels * bitsPerSample) / 8;
  fmt.writeUInt16LE(formatTag, 0);
  fmt.writeUInt16LE(channels, 2);
  fmt.writeUInt32LE(8_000, 4);
  fmt.writeUInt32LE(8_000 * blockAlign, 8);
  fmt.writeUInt16LE(blockAlign, 12);
  fmt.writeUInt16LE(bitsPerSample, 14);
  const format = extension === undefined ? fmt : Buffer.concat([fmt, extension]);
  const chunks = Buffer.concat([chunk("fmt ", format), before ?? Buffer.alloc(0), chunk("data", samples)]);
  return chunk("RIFF", Buffer.concat([Buffer.from("WAVE"), chunks]));
}

function chunk(id: string, content: Uint8Array): Buffer {
  const head = Buffer.alloc(8);
  head.write(id, "latin1");
  head.writeUInt32LE(content.byteLength, 4);
  return Buffer.concat([head, content, Buffer.alloc(content.byteLength % 2)]);
}

/** PCM by its GUID. */
function extensible(): Buffer {
  return Buffer.from("160010000400000001000000000010008000" + "00aa00389b71", "hex");
}
