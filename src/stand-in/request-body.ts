import type { IncomingMessage } from "node:http";
import { bodyTooLarge, invalidRequest } from "./protocol-error.js";

export const maxBodyBytes = 64 * 1024 * 1024;

export interface RequestBody {
  json: unknown;
  byteLength: number;
}

/** Reads and parses a JSON body of at most 64 MiB; a longer one is refused as soon as it is known to be longer. */
export async function readRequestBody(request: IncomingMessage): Promise<RequestBody> {
  if (Number(request.headers["content-length"] ?? 0) > maxBodyBytes) throw bodyTooLarge(maxBodyBytes);
  const bytes = await readBytes(request).catch((error: unknown) => {
    // The rest is read and dropped: a client that is still sending would otherwise never see the refusal.
    request.resume();
    throw error;
  });
  try {
    return { json: JSON.parse(bytes.toString("utf8")), byteLength: bytes.byteLength };
  } catch {
    throw invalidRequest("We could not parse the JSON body of your request.", null, null);
  }
}

async function readBytes(request: IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let byteLength = 0;
  const reader = request.iterator({ destroyOnReturn: false });
  for await (const piece of reader) {
    if (!Buffer.isBuffer(piece)) continue;
    byteLength += piece.byteLength;
    if (byteLength > maxBodyBytes) {
      throw bodyTooLarge(maxBodyBytes);
    }
    pieces.push(piece);
  }
  return Buffer.concat(pieces, byteLength);
}
