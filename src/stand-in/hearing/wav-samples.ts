/** One channel, each sample between -1 and 1. */
export interface MonoSound {
  sampleRate: number;
  samples: Float32Array;
  /** The file goes on after what was read. */
  isCut: boolean;
}

interface WavFormat {
  code: number;
  channels: number;
  sampleRate: number;
  bytesPerFrame: number;
  bits: number;
}

type ReadSample = (view: DataView, offset: number) => number;

const plain = 1;
const float = 3;
const aLaw = 6;
const muLaw = 7;
const extensible = 0xfffe;
const minSampleRate = 4000;
const maxSampleRate = 384_000;
const maxChannels = 32;

/**
 * The beginning of a WAV file, its channels mixed: integers of 8 to 32 bits, floats, A-law and µ-law. Null for any
 * other coding, and for what is no WAV file.
 */
export function readWavSamples(bytes: Uint8Array, maxSeconds: number): MonoSound | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const chunks = findChunks(view);
  if (chunks === null) return null;
  const { format, data } = chunks;
  const read = sampleReader(format);
  if (read === null || !isSensible(format)) return null;
  const frames = Math.floor(data.byteLength / format.bytesPerFrame);
  const kept = Math.min(frames, Math.floor(maxSeconds * format.sampleRate));
  const samples = new Float32Array(kept);
  for (let frame = 0; frame < kept; frame += 1) {
    samples[frame] = mixFrame(view, data.start + frame * format.bytesPerFrame, format, read);
  }
  return { sampleRate: format.sampleRate, samples, isCut: kept < frames };
}

function mixFrame(view: DataView, start: number, { channels, bits }: WavFormat, read: ReadSample): number {
  let sum = 0;
  for (let channel = 0; channel < channels; channel += 1) sum += read(view, start + (channel * bits) / 8);
  const mean = sum / channels;
  return Number.isFinite(mean) ? Math.max(-1, Math.min(1, mean)) : 0;
}

interface WavChunks {
  format: WavFormat;
  data: { start: number; byteLength: number };
}

/** Sizes that reach past the end (a streamed file says 0xFFFFFFFF) are cut to what is there. */
function findChunks(view: DataView): WavChunks | null {
  if (view.byteLength < 12 || name(view, 0) !== "RIFF" || name(view, 8) !== "WAVE") return null;
  let format: WavFormat | null = null;
  for (let offset = 12; offset + 8 <= view.byteLength;) {
    const start = offset + 8;
    const byteLength = Math.min(view.getUint32(offset + 4, true), view.byteLength - start);
    if (name(view, offset) === "fmt " && byteLength >= 16) format = readFormat(view, start, byteLength);
    if (name(view, offset) === "data")
      return format === null ? null : { format, data: { start, byteLength } };
    offset = start + byteLength + (byteLength % 2);
  }
  return null;
}

function name(view: DataView, offset: number): string {
  return String.fromCharCode(...[0, 1, 2, 3].map((index) => view.getUint8(offset + index)));
}

function readFormat(view: DataView, start: number, byteLength: number): WavFormat {
  const code = view.getUint16(start, true);
  // The extensible format names the coding in the first bytes of a GUID.
  const isExtensible = code === extensible && byteLength >= 26;
  return {
    code: isExtensible ? view.getUint16(start + 24, true) : code,
    channels: view.getUint16(start + 2, true),
    sampleRate: view.getUint32(start + 4, true),
    bytesPerFrame: view.getUint16(start + 12, true),
    bits: view.getUint16(start + 14, true),
  };
}

function isSensible({ channels, sampleRate, bytesPerFrame, bits }: WavFormat): boolean {
  const isRate = sampleRate >= minSampleRate && sampleRate <= maxSampleRate;
  return isRate && channels >= 1 && channels <= maxChannels && bytesPerFrame === (channels * bits) / 8;
}

function sampleReader({ code, bits }: WavFormat): ReadSample | null {
  switch (`${code}/${bits}`) {
    case `${plain}/8`:
      return (view, offset) => (view.getUint8(offset) - 128) / 128;
    case `${plain}/16`:
      return (view, offset) => view.getInt16(offset, true) / 32_768;
    case `${plain}/24`:
      return (view, offset) => (view.getUint8(offset) + view.getInt16(offset + 1, true) * 256) / 8_388_608;
    case `${plain}/32`:
      return (view, offset) => view.getInt32(offset, true) / 2_147_483_648;
    case `${float}/32`:
      return (view, offset) => view.getFloat32(offset, true);
    case `${float}/64`:
      return (view, offset) => view.getFloat64(offset, true);
    case `${aLaw}/8`:
      return (view, offset) => fromALaw(view.getUint8(offset));
    case `${muLaw}/8`:
      return (view, offset) => fromMuLaw(view.getUint8(offset));
    default:
      return null;
  }
}

/** G.711: sign, three bits of exponent, four of mantissa, every other bit inverted. */
function fromALaw(byte: number): number {
  const code = byte ^ 0x55;
  const exponent = (code >> 4) & 7;
  const mantissa = ((code & 15) << 4) + 8;
  const magnitude = exponent === 0 ? mantissa : (mantissa + 256) << (exponent - 1);
  return (code & 0x80 ? magnitude : -magnitude) / 32_768;
}

/** G.711: sign, three bits of exponent, four of mantissa, all inverted, with a bias of 132. */
function fromMuLaw(byte: number): number {
  const code = ~byte & 0xff;
  const magnitude = ((((code & 15) << 3) + 132) << ((code >> 4) & 7)) - 132;
  return (code & 0x80 ? -magnitude : magnitude) / 32_768;
}
