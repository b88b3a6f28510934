import type { Readable } from "node:stream";

/** A file part of a request, still on its way. Whoever takes it reads the stream to its end or destroys it. */
export interface IncomingFile {
  stream: Readable;
}

/** Sound that comes with its request; exactly one is set. */
export interface IncomingSound {
  base64?: string | null | undefined;
  upload?: Promise<IncomingFile> | null | undefined;
}

/** Sound that a client hands over, in one of three ways; exactly one is set. */
export interface IncomingAudio extends IncomingSound {
  /** Of sound that came before. */
  uploadId?: string | null | undefined;
}
