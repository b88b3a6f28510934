import { createHash } from "node:crypto";
import { once } from "node:events";
import { Readable, Transform } from "node:stream";
import { ZipFile } from "yazl";
import type { Prices } from "../../config/prices.js";
import type { DatabaseClient } from "../../db/database.js";
import { tooManyAtOnce } from "../../errors.js";
import type { Logger } from "../../logger.js";
import type { AudioStore } from "../../storage/audio-store.js";
import { toldReceipt } from "../keeping/receipt.js";
import type { Owner } from "../keeping/receipt.js";
import { conversationJson, jsonArray } from "./conversation-json.js";
import { ExportSource } from "./export-source.js";

export interface ViewerExportsParts {
  client: DatabaseClient;
  store: AudioStore;
  prices: Prices;
  logger: Logger;
}

const readme = `Everything that Parley keeps of you.

viewer.json    who you are to this server, the keys that were made for you, and when this was made
usage.json     what your calls to the model used
calls.json     each of these calls
spending.json  what was spent on each day that a budget counts, in millionths of a US dollar
deletions.json the receipts of what was deleted
events.json    what clients were told of your conversations in the last days
conversations/ a folder for each conversation: conversation.json, and the sound as files
uploads/       sound that was sent and that no turn has used yet, as it came; uploads.json tells of all uploads
manifest.json  every file with its length and SHA-256, and sound that the server has lost

Left out are numbers that are over within the hour: how much you have asked for in this minute, what is held for calls that run.
`;

interface ExportedFile {
  path: string;
  byteLength: number;
  sha256: string;
}

/** Makes archives of everything of a person, one at a time for each. */
export class ViewerExports {
  readonly #parts: ViewerExportsParts;
  readonly #running = new Set<string>();

  constructor(parts: ViewerExportsParts) {
    this.#parts = parts;
  }

  /**
   * A ZIP that is made while it is read. It fails where something can't be read, so that nobody takes a part for the
   * whole; destroying it ends the work.
   * @throws ParleyError RATE_LIMITED while another one of the same owner is being made here
   */
  open(owner: Owner): Readable {
    if (this.#running.has(owner.id))
      throw tooManyAtOnce("Another export of yours is being made. Wait for its end.");
    this.#running.add(owner.id);
    const zip = new ZipFile();
    const output = new Readable().wrap(zip.outputStream);
    zip.on("error", (error: Error) => output.destroy(error));
    const closed = new AbortController();
    output.once("close", () => closed.abort());
    void this.#write(new Archive(this.#parts, owner, zip, closed.signal), output).finally(() =>
      this.#running.delete(owner.id),
    );
    return output;
  }

  async #write(archive: Archive, output: Readable): Promise<void> {
    try {
      await archive.write();
    } catch (error) {
      if (output.destroyed) return;
      this.#parts.logger.error({ err: error }, "an export broke off");
      output.destroy(error instanceof Error ? error : new Error("the export broke off"));
    }
  }
}

/** One archive that is being written, a file at a time. */
class Archive {
  readonly #parts: ViewerExportsParts;
  readonly #owner: Owner;
  readonly #source: ExportSource;
  readonly #zip: ZipFile;
  readonly #signal: AbortSignal;
  readonly #files: ExportedFile[] = [];
  readonly #lost: string[] = [];

  constructor(parts: ViewerExportsParts, owner: Owner, zip: ZipFile, signal: AbortSignal) {
    this.#parts = parts;
    this.#owner = owner;
    this.#source = new ExportSource(parts.client, parts.prices, owner);
    this.#zip = zip;
    this.#signal = signal;
  }

  async write(): Promise<void> {
    await this.#add("README.txt", Readable.from([readme]));
    await this.#add("viewer.json", Readable.from(viewerJson(this.#source, this.#owner)));
    await this.#addJson("usage.json", await this.#source.usage());
    await this.#addRows("calls.json", this.#source.calls());
    await this.#addRows("spending.json", await this.#source.spending());
    await this.#addRows("deletions.json", this.#source.deletions(), toldReceipt);
    await this.#addRows("events.json", this.#source.events());
    for await (const conversation of this.#source.conversations()) {
      const json = conversationJson(this.#source, conversation);
      await this.#add(`conversations/${conversation.id}/conversation.json`, Readable.from(json));
      for await (const clip of this.#source.clips(conversation.id)) await this.#addSound(clip);
    }
    await this.#addUploads();
    await this.#addJson("manifest.json", { files: this.#files, lostSound: this.#lost });
    this.#zip.end();
  }

  async #addUploads(): Promise<void> {
    await this.#addRows("uploads/uploads.json", this.#source.uploads(), withoutStorageKey);
    for await (const { id, storageKey, usedAt } of this.#source.uploads()) {
      // The sound of one that a turn has used is in its conversation.
      const bytes = storageKey === null || usedAt !== null ? null : await this.#parts.store.read(storageKey);
      if (bytes !== null) await this.#add(`uploads/${id}`, bytes);
    }
  }

  async #addSound({ id, storageKey }: { id: string; storageKey: string }): Promise<void> {
    const path = `conversations/${storageKey}`;
    const bytes = await this.#parts.store.read(storageKey);
    if (bytes !== null) return this.#add(path, bytes);
    // What was deleted meanwhile is left out without a word.
    if (await this.#source.hasClip(id)) this.#lost.push(path);
  }

  #addRows<Row extends object>(
    path: string,
    rows: AsyncIterable<Row> | Iterable<Row>,
    told?: (row: Row) => object,
  ): Promise<void> {
    return this.#add(path, Readable.from(jsonArray(rows, told)));
  }

  #addJson(path: string, value: unknown): Promise<void> {
    return this.#add(path, Readable.from([`${JSON.stringify(value, null, 2)}\n`]));
  }

  /** Resolves when the archive has taken the last byte, so that one file is open at a time. */
  async #add(path: string, bytes: Readable): Promise<void> {
    this.#signal.throwIfAborted();
    const hash = createHash("sha256");
    let byteLength = 0;
    const counted = new Transform({
      transform: (piece: Buffer, _encoding, done) => {
        hash.update(piece);
        byteLength += piece.byteLength;
        done(null, piece);
      },
    });
    bytes.once("error", (error) => counted.destroy(error));
    const stop = () => counted.destroy(new Error("the export was given up"));
    this.#signal.addEventListener("abort", stop, { once: true });
    try {
      const ended = once(counted, "end");
      this.#zip.addReadStream(bytes.pipe(counted), path, { compress: path.endsWith(".json") });
      await ended;
    } finally {
      this.#signal.removeEventListener("abort", stop);
      bytes.destroy();
    }
    this.#files.push({ path, byteLength, sha256: hash.digest("hex") });
  }
}

async function* viewerJson(source: ExportSource, { id, tenantId }: Owner) {
  yield `${JSON.stringify({ id, tenantId, exportedAt: new Date() }).slice(0, -1)},"keys":`;
  yield* jsonArray(source.keys());
  yield "}\n";
}

/** Where its file is concerns nobody: JSON leaves out what is not defined. */
function withoutStorageKey(upload: { storageKey: string | null }): object {
  return { ...upload, storageKey: undefined };
}
