import type { Readable } from "node:stream";

/** A file part of a request, still on its way. Whoever takes it reads the stream to its end or destroys it. */
export interface IncomingFile {
  stream: Readable;
}

/** Sound that a client hands over, in one of three ways; exactly one is set. */
export interface IncomingAudio {
  base64?: string | null | undefined;
  upload?: Promise<IncomingFile> | null | undefined;
  uploadId?: string | null | undefined;
}
