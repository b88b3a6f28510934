/** A format of kept sound. PCM16 is 24 kHz mono 16-bit little-endian without a header. */
export const audioFormats = ["WAV", "MP3", "FLAC", "OPUS", "PCM16", "AAC"] as const;
export type AudioFormat = (typeof audioFormats)[number];

const mimeTypes: Readonly<Record<AudioFormat, string>> = {
  WAV: "audio/wav",
  MP3: "audio/mpeg",
  FLAC: "audio/flac",
  OPUS: "audio/ogg; codecs=opus",
  PCM16: "audio/pcm;rate=24000;channels=1",
  AAC: "audio/aac",
};

const extensions: Readonly<Record<AudioFormat, string>> = {
  WAV: "wav",
  MP3: "mp3",
  FLAC: "flac",
  OPUS: "ogg",
  PCM16: "pcm",
  AAC: "aac",
};

export function mimeTypeOf(format: AudioFormat): string {
  return mimeTypes[format];
}

export function extensionOf(format: AudioFormat): string {
  return extensions[format];
}

/** The format that a row names. Rows are written by this server only, so another word is a fault. */
export function toAudioFormat(word: string): AudioFormat {
  const format = audioFormats.find((name) => name === word);
  if (format === undefined) throw new Error(`a row names the audio format ${word}`);
  return format;
}
