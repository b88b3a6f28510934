import { Busboy } from "@fastify/busboy";
import type { BusboyInstance } from "@fastify/busboy";
import type { IncomingMessage } from "node:http";
import { ParleyError } from "../errors.js";

export interface MultipartLimits {
  /** For each file: exactly so many bytes are taken. */
  maxFileBytes: number;
  /** For `operations` and for `map`, each. */
  maxFieldBytes: number;
  maxFiles: number;
}

/** The parts that come before the files. */
export const fieldNames: readonly string[] = ["operations", "map"];
/** What boundaries and the headers of parts may take up. */
export const framingBytes = 65_536;

/** No honest body is longer. */
export function maxBodyBytes({ maxFileBytes, maxFieldBytes, maxFiles }: MultipartLimits): number {
  return maxFiles * maxFileBytes + fieldNames.length * maxFieldBytes + framingBytes;
}

export function fileTooLarge({ maxFileBytes }: MultipartLimits): ParleyError {
  return new ParleyError("AUDIO_TOO_LARGE", `An uploaded file may have at most ${maxFileBytes} bytes.`);
}

/** @throws ParleyError BAD_USER_INPUT */
export function openForm(request: Pick<IncomingMessage, "headers">, limits: MultipartLimits): BusboyInstance {
  const contentType = request.headers["content-type"] ?? "";
  try {
    return new Busboy({
      headers: { ...request.headers, "content-type": contentType },
      // Clients send operations and map with and without a file name; a file may come without one.
      isPartAFile: (name) => name === undefined || !fieldNames.includes(name),
      limits: {
        fieldSize: limits.maxFieldBytes,
        fields: fieldNames.length,
        fileSize: limits.maxFileBytes,
        files: limits.maxFiles,
        parts: fieldNames.length + limits.maxFiles,
        headerPairs: 32,
        headerSize: 8192,
      },
    });
  } catch (cause) {
    throw new ParleyError("BAD_USER_INPUT", "A multipart/form-data request needs a boundary.", { cause });
  }
}
