/** Takes sound as the intake does, in a process of its own: a crash ends only this, and a hang is noticed outside. */
import { types } from "node:util";
import { ParleyError } from "../src/errors.js";
import type { ByteSource } from "../src/services/audio/formats/byte-source.js";
import { convertOpusToPcm, requirePcmWithin } from "../src/services/audio/formats/opus-to-pcm.js";
import { recogniseAudio } from "../src/services/audio/formats/recognise.js";
import type { AudioOutcome } from "./audio-target.js";

const pcmBytesPerMs = 48;
/** As with the default of MAX_AUDIO_BYTES. */
const maxPcmByteLength = 20 * 1024 * 1024 - 44;
const allowed = ["AUDIO_FORMAT_UNSUPPORTED", "AUDIO_TOO_LARGE"];

async function take(bytes: Uint8Array): Promise<string> {
  const source: ByteSource = {
    byteLength: bytes.byteLength,
    readAt: (offset, length) => Promise.resolve(bytes.subarray(offset, offset + length)),
  };
  const audio = await recogniseAudio(source);
  if (!Number.isFinite(audio.durationMs) || audio.durationMs <= 0) {
    throw new Error(`accepted with a duration of ${audio.durationMs} ms`);
  }
  if (!("stream" in audio)) return audio.kind;
  requirePcmWithin(audio.durationMs * pcmBytesPerMs, maxPcmByteLength);
  let written = 0;
  const sink = (pcm: Uint8Array) => {
    written += pcm.byteLength;
    return Promise.resolve();
  };
  const told = await convertOpusToPcm(audio.stream, { sink, maxPcmByteLength });
  if (told !== written) throw new Error(`${told} bytes of PCM were told, ${written} written`);
  return audio.kind;
}

async function outcomeOf(bytes: Uint8Array): Promise<AudioOutcome> {
  try {
    return { taken: await take(bytes) };
  } catch (error) {
    if (error instanceof ParleyError && allowed.includes(error.code)) return { taken: error.code };
    return { fault: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}

process.on("message", (message) => {
  if (!types.isUint8Array(message)) return;
  void outcomeOf(message).then((outcome) => process.send?.(outcome));
});
// There is nothing else that would keep it from ending.
process.channel?.ref();
process.stdout.write("ready\n");
