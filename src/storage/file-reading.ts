import { createHash } from "node:crypto";
import type { FileHandle } from "node:fs/promises";
import { Readable } from "node:stream";

import { toStorageError } from "./storage-error.js";

const chunkByteLength = 65_536;

/** At most `length` bytes from `offset`; fewer only where the file ends. */
export async function readFully(file: FileHandle, offset: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await file.read(bytes, filled, length - filled, offset + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return bytes.subarray(0, filled);
}

/** Some systems write less than asked for when the disk is nearly full. */
export async function writeFully(file: FileHandle, bytes: Uint8Array, offset: number): Promise<void> {
  let written = 0;
  while (written < bytes.byteLength) {
    const { bytesWritten } = await file.write(bytes, written, bytes.byteLength - written, offset + written);
    written += bytesWritten;
  }
}

export async function hashFile(file: FileHandle, byteLength: number): Promise<string> {
  const hash = createHash("sha256");
  for (let offset = 0; offset < byteLength; offset += chunkByteLength) {
    hash.update(await readFully(file, offset, Math.min(chunkByteLength, byteLength - offset)));
  }
  return hash.digest("hex");
}

/**
 * The bytes `start` to before `end`, a chunk at a time. Owns the file and closes it when the stream ends or is
 * destroyed, also before it was ever read. Its errors are StorageError.
 */
export function streamFile(file: FileHandle, start: number, end: number, action: string): Readable {
  let position = start;
  return new Readable({
    highWaterMark: chunkByteLength,
    read() {
      const length = Math.min(chunkByteLength, end - position);
      if (length <= 0) {
        this.push(null);
        return;
      }
      readFully(file, position, length).then(
        (bytes) => {
          position = bytes.byteLength === 0 ? end : position + bytes.byteLength;
          this.push(bytes.byteLength === 0 ? null : bytes);
        },
        (error: unknown) => this.destroy(toStorageError(action, error)),
      );
    },
    destroy(error, callback) {
      file.close().then(
        () => callback(error),
        (closing: unknown) => callback(error ?? toStorageError(action, closing)),
      );
    },
  });
}
