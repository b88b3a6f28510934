import { createHash, randomUUID } from "node:crypto";
import type { Readable } from "node:stream";
import type { DatabaseClient } from "../../db/database.js";
import { ownedClient } from "../../db/owned-client.js";
import type { AudioUploadRow } from "../../db/rows.js";
import { ParleyError } from "../../errors.js";
import { isId } from "../../ids.js";
import type { Logger } from "../../logger.js";
import type { AudioDraft, AudioStore } from "../../storage/audio-store.js";
import { removeAudio } from "../audio/remove-audio.js";
import { uploadNotFound } from "../not-found.js";

/** The bytes of an upload on their way. */
export interface IncomingBytes {
  /** Not destroyed by what reads it: the answer goes over the same connection. */
  stream: Readable;
  /** How many the sender says there are; null where it does not say. */
  byteLength: number | null;
}

export interface ReceivedUpload {
  uploadId: string;
  byteLength: number;
  /** Lower-case hex. */
  sha256: string;
}

export interface UploadIntakeParts {
  client: DatabaseClient;
  store: AudioStore;
  logger: Logger;
}

/**
 * Takes the bytes of uploads: streamed to a draft, exactly as many as were announced, kept once. A row names its file
 * before that is there, so that what a crash leaves is found by the row.
 */
export class UploadIntake {
  readonly #parts: UploadIntakeParts;
  /** What comes in here at the moment, by the upload's id. */
  readonly #incoming = new Map<string, Readable>();

  constructor(parts: UploadIntakeParts) {
    this.#parts = parts;
  }

  /**
   * The same bytes once more are answered like the first time: a client whose answer was lost sends them again.
   * @throws ParleyError NOT_FOUND, BAD_USER_INPUT, AUDIO_TOO_LARGE, UPLOAD_ALREADY_RECEIVED
   */
  async receive(ownerId: string, id: string, incoming: IncomingBytes): Promise<ReceivedUpload> {
    const upload = await this.#find(ownerId, id);
    refuseOtherLength(upload, incoming.byteLength);
    return upload.receivedAt === null ? this.#keep(upload, incoming) : this.#compare(upload, incoming);
  }

  async #keep(upload: AudioUploadRow, incoming: IncomingBytes): Promise<ReceivedUpload> {
    const draft = await this.#parts.store.create();
    try {
      const sha256 = await this.#read(upload, incoming.stream, (bytes) => draft.append(bytes));
      if (upload.sha256 !== null && upload.sha256 !== sha256) throw otherHash(sha256);
      return await this.#commit(upload, draft, sha256);
    } finally {
      await draft.discard();
    }
  }

  async #compare(upload: AudioUploadRow, { stream }: IncomingBytes): Promise<ReceivedUpload> {
    const sha256 = await this.#read(upload, stream, () => Promise.resolve());
    if (sha256 !== upload.receivedSha256) throw alreadyReceived();
    return toReceived(upload, sha256);
  }

  /** A client that lost its connection comes with a new one before the old one is known to be dead: the newest counts. */
  async #read(upload: AudioUploadRow, stream: Readable, sink: Sink): Promise<string> {
    this.#incoming.get(upload.id)?.destroy(new Error("the upload comes over another connection now"));
    this.#incoming.set(upload.id, stream);
    try {
      return await readExactly(stream, upload.byteLength, sink);
    } finally {
      if (this.#incoming.get(upload.id) === stream) this.#incoming.delete(upload.id);
    }
  }

  async #commit(upload: AudioUploadRow, draft: AudioDraft, receivedSha256: string): Promise<ReceivedUpload> {
    const { client, store, logger } = this.#parts;
    const { id } = upload;
    const storageKey = `${id}/${randomUUID()}`;
    const unreceived = { id, receivedAt: null, expiresAt: { gt: new Date() } };
    const reserved = await client.audioUpload.updateMany({ where: unreceived, data: { storageKey } });
    if (reserved.count === 0) return this.#asReceived(upload, receivedSha256);
    // Of a request that was cut off by the end of its server.
    if (upload.storageKey !== null) await removeAudio(store, logger, [upload.storageKey]);
    await draft.commit(storageKey);
    const received = await client.audioUpload.updateMany({
      where: { ...unreceived, storageKey },
      data: { receivedSha256, receivedAt: new Date() },
    });
    if (received.count > 0) return toReceived(upload, receivedSha256);
    await removeAudio(store, logger, [storageKey]);
    return this.#asReceived(upload, receivedSha256);
  }

  /** Another request was first, or came later and is at it: the newest counts. */
  async #asReceived({ id, ownerId }: AudioUploadRow, sha256: string): Promise<ReceivedUpload> {
    const upload = await this.#find(ownerId, id);
    if (upload.receivedAt === null) throw brokenOff();
    if (upload.receivedSha256 !== sha256) throw alreadyReceived();
    return toReceived(upload, sha256);
  }

  async #find(ownerId: string, id: string): Promise<AudioUploadRow> {
    const client = ownedClient(this.#parts.client, { id: ownerId, tenantId: null });
    const where = { id, expiresAt: { gt: new Date() } };
    const upload = isId("upl", id) ? await client.audioUpload.findUnique({ where }) : null;
    if (upload === null) throw uploadNotFound();
    return upload;
  }
}

type Sink = (bytes: Uint8Array) => Promise<void>;

/** Answers the SHA-256. Reads no further than one piece over the end. */
async function readExactly(stream: Readable, byteLength: number, sink: Sink): Promise<string> {
  const hash = createHash("sha256");
  let left = byteLength;
  try {
    for await (const bytes of stream.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>) {
      left -= bytes.byteLength;
      if (left < 0) throw tooLong(byteLength);
      hash.update(bytes);
      await sink(bytes);
    }
  } catch (error) {
    throw stream.errored === null ? error : brokenOff();
  }
  if (left > 0) throw tooShort(byteLength);
  return hash.digest("hex");
}

function refuseOtherLength({ byteLength }: AudioUploadRow, announced: number | null): void {
  if (announced === null || announced === byteLength) return;
  throw announced > byteLength ? tooLong(byteLength) : tooShort(byteLength);
}

function toReceived({ id, byteLength }: AudioUploadRow, sha256: string): ReceivedUpload {
  return { uploadId: id, byteLength, sha256 };
}

function tooLong(byteLength: number): ParleyError {
  return new ParleyError(
    "AUDIO_TOO_LARGE",
    `The upload was announced with ${byteLength} bytes; there are more.`,
  );
}

function tooShort(byteLength: number): ParleyError {
  return new ParleyError(
    "BAD_USER_INPUT",
    `The upload was announced with ${byteLength} bytes; there are fewer.`,
  );
}

function otherHash(sha256: string): ParleyError {
  return new ParleyError(
    "BAD_USER_INPUT",
    `The bytes are not those that the upload was announced with: their SHA-256 is ${sha256}. Send them again.`,
  );
}

function brokenOff(): ParleyError {
  return new ParleyError("BAD_USER_INPUT", "The upload broke off. Send it again.");
}

function alreadyReceived(): ParleyError {
  return new ParleyError(
    "UPLOAD_ALREADY_RECEIVED",
    "The upload has received other bytes already. Create a new one for these.",
  );
}
