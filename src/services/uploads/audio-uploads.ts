import type { Readable } from "node:stream";
import type { Viewer } from "../../auth/viewer.js";
import type { DatabaseClient } from "../../db/database.js";
import { ownedClient } from "../../db/owned-client.js";
import type { AudioUploadRow } from "../../db/rows.js";
import type { Dialect } from "../../db/sql.js";
import { ParleyError } from "../../errors.js";
import { isId, newId } from "../../ids.js";
import type { Logger } from "../../logger.js";
import type { AudioStore } from "../../storage/audio-store.js";
import { uploadNotFound } from "../not-found.js";
import type { SignedUrls } from "../signing/signed-urls.js";
import { removeFile } from "./remove-file.js";
import { checkByteLength, checkSha256 } from "./upload-input.js";

export interface CreateAudioUpload {
  byteLength: number;
  sha256?: string | null | undefined;
}

/** Where an upload's bytes are. */
export interface KeptUpload {
  id: string;
  storageKey: string;
}

/** An upload that a turn asks with: its bytes, or what is known of them once a turn has used them. */
export type OpenedUpload =
  { used: true; receivedSha256: string } | ({ used: false; stream: Readable } & KeptUpload);

export interface AudioUploadsParts {
  client: DatabaseClient;
  dialect: Dialect;
  store: AudioStore;
  signedUrls: SignedUrls;
  /** For one upload. */
  maxBytes: number;
  logger: Logger;
}

/** How long there is to hand in the bytes and to use them. */
export const uploadLifetimeMs = 15 * 60 * 1000;
const maxUnused = 20;

/** Sound that comes before its turn: a place for it, its bytes, and their one use. */
export class AudioUploads {
  readonly #parts: AudioUploadsParts;

  constructor(parts: AudioUploadsParts) {
    this.#parts = parts;
  }

  /** @throws ParleyError AUDIO_TOO_LARGE, BAD_USER_INPUT, RATE_LIMITED */
  create(viewer: Viewer, input: CreateAudioUpload): Promise<AudioUploadRow> {
    const byteLength = checkByteLength(input.byteLength, this.#parts.maxBytes);
    const sha256 = checkSha256(input.sha256);
    return ownedClient(this.#parts.client, viewer).$transaction(async (transaction) => {
      // Requests of one viewer are counted one after the other.
      const lock = this.#parts.dialect.ownerLock(viewer.id);
      if (lock !== null) await transaction.$executeRaw(lock);
      const createdAt = new Date();
      const unused = await transaction.audioUpload.findMany({
        where: { usedAt: null, expiresAt: { gt: createdAt } },
        orderBy: { expiresAt: "asc" },
        take: maxUnused,
      });
      if (unused[0] !== undefined && unused.length === maxUnused) throw tooMany(unused[0], createdAt);
      // Whole seconds, as in its URL.
      const expiresAt = new Date(Math.ceil((createdAt.getTime() + uploadLifetimeMs) / 1000) * 1000);
      const owner = { ownerId: viewer.id, tenantId: viewer.tenantId };
      return transaction.audioUpload.create({
        data: { id: newId("upl"), ...owner, byteLength, sha256, createdAt, expiresAt },
      });
    });
  }

  /** Where the bytes are PUT. `origin` has no slash at its end. */
  async urlOf(origin: string, { id, ownerId, expiresAt }: AudioUploadRow): Promise<string> {
    const expires = expiresAt.getTime() / 1000;
    const grant = { purpose: "upload", objectId: id, viewerId: ownerId, expires } as const;
    return `${origin}/uploads/${id}?${await this.#parts.signedUrls.sign(grant)}`;
  }

  /** @throws ParleyError NOT_FOUND for one that is unknown, not theirs or has ended; BAD_USER_INPUT before its bytes came */
  async open(viewer: Viewer, id: string): Promise<OpenedUpload> {
    const upload = await this.#find(viewer, id);
    if (upload.usedAt !== null) return asUsed(upload);
    if (upload.expiresAt.getTime() <= Date.now()) throw uploadNotFound();
    if (upload.receivedAt === null || upload.storageKey === null) throw notReceived();
    const stream = await this.#parts.store.read(upload.storageKey);
    if (stream !== null) return { used: false, id, storageKey: upload.storageKey, stream };
    // A turn has used it since.
    const current = await this.#find(viewer, id);
    if (current.usedAt !== null) return asUsed(current);
    this.#parts.logger.error({ uploadId: id }, "the bytes of an upload are not in the audio store");
    throw uploadNotFound();
  }

  /** After a turn has used it, whose clip holds the sound. What can't be removed is swept later, by its row. */
  async removeUsed({ id, storageKey }: KeptUpload): Promise<void> {
    try {
      await removeFile(this.#parts, { id, storageKey });
    } catch (error) {
      this.#parts.logger.warn(
        { err: error, uploadId: id },
        "could not remove a used upload; trying again later",
      );
    }
  }

  async #find(viewer: Viewer, id: string): Promise<AudioUploadRow> {
    const client = ownedClient(this.#parts.client, viewer);
    const upload = isId("upl", id) ? await client.audioUpload.findUnique({ where: { id } }) : null;
    if (upload === null) throw uploadNotFound();
    return upload;
  }
}

function asUsed({ receivedSha256 }: AudioUploadRow): OpenedUpload {
  return { used: true, receivedSha256: receivedSha256 ?? "" };
}

function notReceived(): ParleyError {
  return new ParleyError(
    "BAD_USER_INPUT",
    "The upload has not received its bytes yet: PUT them to its uploadUrl.",
  );
}

function tooMany(first: AudioUploadRow, now: Date): ParleyError {
  return new ParleyError(
    "RATE_LIMITED",
    `At most ${maxUnused} uploads may wait for their use. Use one, or wait until one has ended.`,
    { retryable: true, retryAfterMs: first.expiresAt.getTime() - now.getTime() },
  );
}
