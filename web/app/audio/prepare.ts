import { asDuration } from "../parts/format.js";
import { decode } from "./decode.js";
import { encodeWav, modelSampleRate, wavHeaderByteLength } from "./wav.js";

/** What the server says of the sound that it takes. */
export interface AudioLimits {
  inputMimeTypes: readonly string[];
  maxAudioBytes: number;
}

/** Sound that can't be sent; the message is for a person. */
export class UnusableSound extends Error {}

/**
 * Sound as the server takes it: as it is where its type is one of the server's and it is small enough, else what the
 * browser can play of it as a WAV of 24 kHz mono. (Safari records AAC, which the server doesn't take.)
 * @throws UnusableSound
 */
export async function prepareSound(sound: Blob, limits: AudioLimits): Promise<Blob> {
  if (limits.inputMimeTypes.includes(typeOf(sound)) && sound.size <= limits.maxAudioBytes) return sound;
  const samples = await decoded(sound);
  const longestSeconds = longestRecordingSeconds(limits);
  if (samples.length > longestSeconds * modelSampleRate) {
    const length = asDuration(samples.length / modelSampleRate);
    throw new UnusableSound(
      `That sound is ${length} long; at most ${asDuration(longestSeconds)} can be sent.`,
    );
  }
  return encodeWav(samples, modelSampleRate);
}

/**
 * Looks whether a file that does not say that it is sound holds some. One that says so is taken at its word until it is
 * sent: a long recording is not to be decoded twice.
 * @throws UnusableSound
 */
export async function checkSound(file: Blob, limits: AudioLimits): Promise<void> {
  if (!/^(audio|video)\//.test(typeOf(file))) await prepareSound(file, limits);
}

/** Browsers give WAV and MP3 files several names. */
const aliases = new Map([
  ["audio/x-wav", "audio/wav"],
  ["audio/wave", "audio/wav"],
  ["audio/vnd.wave", "audio/wav"],
  ["audio/mp3", "audio/mpeg"],
]);

function typeOf(sound: Blob): string {
  const type = sound.type.replaceAll(" ", "").toLowerCase();
  return aliases.get(type) ?? type;
}

/** The most sound that a WAV of the allowed size holds, in seconds. */
export function longestRecordingSeconds({ maxAudioBytes }: AudioLimits): number {
  return Math.floor((maxAudioBytes - wavHeaderByteLength) / (2 * modelSampleRate));
}

async function decoded(sound: Blob): Promise<Float32Array> {
  try {
    return await decode(await sound.arrayBuffer());
  } catch {
    throw new UnusableSound("That file holds no sound that this browser can play.");
  }
}
