import { modelSampleRate } from "./wav.js";

/** The sound of whatever the browser can play, as one channel at the model's rate. */
export async function decode(file: ArrayBuffer): Promise<Float32Array<ArrayBuffer>> {
  const context = new OfflineAudioContext(1, 1, modelSampleRate);
  const sound = await context.decodeAudioData(file);
  if (sound.numberOfChannels === 1) return sound.getChannelData(0);
  return mixed(sound);
}

function mixed(sound: AudioBuffer): Float32Array<ArrayBuffer> {
  const channels = Array.from({ length: sound.numberOfChannels }, (_, index) => sound.getChannelData(index));
  return Float32Array.from(
    { length: sound.length },
    (_, index) => channels.reduce((sum, channel) => sum + (channel[index] ?? 0), 0) / channels.length,
  );
}
