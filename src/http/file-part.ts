import type { BusboyFileStream } from "@fastify/busboy";
import { Readable } from "node:stream";
import type { ParleyError } from "../errors.js";
import type { Upload } from "./upload.js";

/** A file part that has begun to arrive. Nothing of it is read before its upload is wanted. */
export class FilePart {
  readonly #upload: Upload | null;
  readonly #source: BusboyFileStream;
  #stream: Readable | null = null;
  #refused = false;

  /** `upload` is null for a part that the map does not name. */
  constructor(upload: Upload | null, source: BusboyFileStream) {
    this.#upload = upload;
    this.#source = source;
  }

  /** Whether somebody waits for it or reads it. */
  get inUse(): boolean {
    return this.#upload?.wanted === true && !this.#refused && this.#stream?.destroyed !== true;
  }

  /** Whether all of it has left the parser. */
  get ended(): boolean {
    return this.#source.readableEnded;
  }

  handOverIfWanted(): void {
    if (this.#stream !== null || this.#refused || this.#upload?.wanted !== true) return;
    this.#stream = streamOf(this.#source);
    this.#upload.resolve(this.#stream);
  }

  /** Lets the rest go by, so that what stands behind it can arrive. */
  skip(reason: ParleyError): void {
    this.#refused = true;
    this.#upload?.reject(reason);
    this.#source.resume();
  }

  /** Does nothing to a part that arrived whole and is being read. */
  fail(reason: ParleyError): void {
    if (this.ended) return;
    this.#refused = true;
    this.#upload?.reject(reason);
    this.#stream?.destroy(reason);
  }
}

/**
 * The part's bytes, with errors of ours only: the parser's own stream tells of a cut-off body in its own words. Ends
 * only when the part was whole.
 */
function streamOf(source: BusboyFileStream): Readable {
  const stream = new Readable({
    highWaterMark: source.readableHighWaterMark,
    read: () => void source.resume(),
  });
  // A reader that gave up on a file need not listen for what becomes of it.
  stream.on("error", () => undefined);
  source.on("data", (chunk: Buffer) => {
    if (!stream.destroyed && !stream.push(chunk)) source.pause();
  });
  source.on("end", () => {
    if (!source.truncated) stream.push(null);
  });
  return stream;
}
