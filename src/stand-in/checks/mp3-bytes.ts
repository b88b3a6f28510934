const bitratesKbps = {
  mpeg1: [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
  mpeg2: [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
};
const mpeg1SampleRates = [44_100, 48_000, 32_000];
const layer3 = 1;

interface Frame {
  byteLength: number;
  samples: number;
  sampleRate: number;
}

/** The duration in milliseconds, counted frame by frame; null where two frames in a row are not found. */
export function measureMp3(view: DataView): number | null {
  let offset = tagByteLength(view);
  let frames = 0;
  let seconds = 0;
  for (let frame = readFrame(view, offset); frame !== null; frame = readFrame(view, offset)) {
    frames += 1;
    seconds += frame.samples / frame.sampleRate;
    offset += frame.byteLength;
  }
  // One match of the sync bits happens by chance in any file; a second one exactly a frame later does not.
  return frames < 2 ? null : Math.round(seconds * 1000);
}

function tagByteLength(view: DataView): number {
  const isTagged = view.byteLength >= 10 && view.getUint16(0) === 0x4944 && view.getUint8(2) === 0x33;
  if (!isTagged) return 0;
  // ID3v2 sizes have seven bits in each byte, so that no sync pattern appears in them.
  const size = [6, 7, 8, 9].reduce((sum, index) => sum * 128 + (view.getUint8(index) & 0x7f), 0);
  return size + 10;
}

function readFrame(view: DataView, offset: number): Frame | null {
  if (offset + 4 > view.byteLength) return null;
  const header = view.getUint32(offset);
  const version = (header >>> 19) & 3;
  const hasSync = header >>> 21 === 0x7ff && version !== 1 && ((header >>> 17) & 3) === layer3;
  const sampleRate = hasSync ? sampleRateOf(version, (header >>> 10) & 3) : 0;
  const bitrateIndex = (header >>> 12) & 15;
  const bitrateKbps = (version === 3 ? bitratesKbps.mpeg1 : bitratesKbps.mpeg2)[bitrateIndex] ?? 0;
  if (sampleRate === 0 || bitrateKbps === 0) return null;
  const samples = version === 3 ? 1152 : 576;
  const padding = (header >>> 9) & 1;
  return {
    byteLength: Math.floor((samples / 8) * ((bitrateKbps * 1000) / sampleRate)) + padding,
    samples,
    sampleRate,
  };
}

/** Version 3 is MPEG-1, 2 is MPEG-2 (half the rate), 0 is MPEG-2.5 (a quarter). */
function sampleRateOf(version: number, index: number): number {
  const rate = mpeg1SampleRates[index] ?? 0;
  if (version === 3) return rate;
  return version === 2 ? rate / 2 : rate / 4;
}
