/** All times of an Opus stream are counted in samples of this rate, whatever was recorded. */
export const opusSampleRate = 48_000;

/** The longest packet that the mono decoder takes; three frames of the greatest length, as 60 ms have, are 3,828. */
export const maxOpusPacketByteLength = 3840;
const maxFrameByteLength = 1275;
const maxSampleCount = 5760;

const silkSampleCounts = [480, 960, 1920, 2880] as const;
const celtSampleCounts = [120, 240, 480, 960] as const;

/**
 * How many samples a packet holds, or null where it breaks the rules of RFC 6716 section 3.4. The decoder is given
 * only packets that pass: it writes to the console about the others.
 */
export function opusPacketSampleCount(packet: Uint8Array): number | null {
  const [toc] = packet;
  if (toc === undefined || packet.byteLength > maxOpusPacketByteLength) return null;
  const frames = frameCount(packet, toc & 3);
  const sampleCount = frames === null ? 0 : frames * samplesOfFrame(toc >> 3);
  return sampleCount > 0 && sampleCount <= maxSampleCount ? sampleCount : null;
}

function samplesOfFrame(configuration: number): number {
  if (configuration < 12) return silkSampleCounts[configuration & 3] ?? 0;
  if (configuration < 16) return silkSampleCounts[configuration & 1] ?? 0;
  return celtSampleCounts[configuration & 3] ?? 0;
}

function frameCount(packet: Uint8Array, code: number): number | null {
  const byteLength = packet.byteLength - 1;
  switch (code) {
    case 0:
      return byteLength <= maxFrameByteLength ? 1 : null;
    case 1:
      return byteLength % 2 === 0 && byteLength / 2 <= maxFrameByteLength ? 2 : null;
    case 2:
      return framesFit(packet, 1, packet.byteLength, 2) ? 2 : null;
    default:
      return countedFrames(packet);
  }
}

function countedFrames(packet: Uint8Array): number | null {
  const control = packet[1];
  if (control === undefined) return null;
  const count = control & 63;
  const hasPadding = (control & 0x40) !== 0;
  const isVariable = (control & 0x80) !== 0;
  const body = hasPadding ? skipPadding(packet) : { start: 2, end: packet.byteLength };
  if (count === 0 || body === null) return null;
  if (isVariable) return framesFit(packet, body.start, body.end, count) ? count : null;
  const byteLength = body.end - body.start;
  return byteLength % count === 0 && byteLength / count <= maxFrameByteLength ? count : null;
}

function skipPadding(packet: Uint8Array): { start: number; end: number } | null {
  let start = 2;
  let padding = 0;
  for (;;) {
    const value = packet[start];
    if (value === undefined) return null;
    start += 1;
    padding += value === 255 ? 254 : value;
    if (value !== 255) break;
  }
  const end = packet.byteLength - padding;
  return end >= start ? { start, end } : null;
}

// All frames but the last have their length in front; the last has what remains.
function framesFit(packet: Uint8Array, start: number, end: number, count: number): boolean {
  let offset = start;
  let byteLength = 0;
  for (let frame = 1; frame < count; frame += 1) {
    const first = packet[offset];
    if (first === undefined || offset >= end) return false;
    const isLong = first >= 252;
    const length = isLong ? first + 4 * (packet[offset + 1] ?? Number.NaN) : first;
    if (!(length <= maxFrameByteLength)) return false;
    byteLength += length;
    offset += isLong ? 2 : 1;
  }
  const last = end - offset - byteLength;
  return last >= 0 && last <= maxFrameByteLength;
}
