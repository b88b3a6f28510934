import type { BusboyFileStream, BusboyInstance } from "@fastify/busboy";
import type { IncomingMessage } from "node:http";
import type { Readable } from "node:stream";
import { ParleyError } from "../errors.js";
import { FilePart } from "./file-part.js";
import { fieldNames, fileTooLarge, framingBytes, maxBodyBytes, openForm } from "./multipart-form.js";
import type { MultipartLimits } from "./multipart-form.js";
import { parseFileMap, parseOperations, placeFile, quoted } from "./multipart-map.js";
import { Upload } from "./upload.js";

export type MultipartSource = Readable & Pick<IncomingMessage, "headers">;

/** Turns of the event loop. */
const stillTurns = 16;

/**
 * Reads a GraphQL multipart request (https://github.com/jaydenseric/graphql-multipart-request-spec). Resolves to the
 * operations as soon as `operations` and `map` are there; each mapped null has become a `Promise<IncomingFile>`, and
 * the files stream in while they are read. They come in the order of the body: waiting for one that has not begun to
 * arrive skips those before it that nobody waits for. The promises of files reject, and their streams fail, with ParleyError BAD_USER_INPUT or
 * AUDIO_TOO_LARGE; one that nobody looks at stays silent.
 *
 * Aborting `answered` ends the reading, whatever is still to come; the rest of the body is left in the request, which
 * is then paused.
 * @throws ParleyError BAD_USER_INPUT, AUDIO_TOO_LARGE
 */
export function readMultipartRequest(
  request: MultipartSource,
  limits: MultipartLimits,
  answered: AbortSignal,
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const reading = new MultipartReading(request, limits, { resolve, reject });
    reading.start(answered);
  });
}

/** Rejecting does nothing once the operations are there. */
type Settle = { resolve: (operations: unknown) => void; reject: (reason: ParleyError) => void };

class MultipartReading {
  readonly #request: MultipartSource;
  readonly #limits: MultipartLimits;
  readonly #settle: Settle;
  readonly #form: BusboyInstance;
  readonly #fields = new Map<string, string>();
  /** Uploads whose part has not begun to arrive, by its name; null until the map was read. */
  #awaited: Map<string, Upload> | null = null;
  /** In the order of the body. */
  readonly #parts: FilePart[] = [];
  #receivedBytes = 0;
  #bodyEnded = false;
  #stopped = false;

  constructor(request: MultipartSource, limits: MultipartLimits, settle: Settle) {
    this.#request = request;
    this.#limits = limits;
    this.#settle = settle;
    this.#form = openForm(request, limits);
  }

  start(answered: AbortSignal): void {
    this.#listenToForm();
    answered.addEventListener("abort", () => this.#stop(mistake("The request was answered.")), {
      once: true,
    });
    // These two stay when the reading stops: a request without a listener for its error would end the process.
    this.#request.on("error", () => this.#stop(cutOff()));
    this.#request.on("close", () => {
      if (!this.#bodyEnded) this.#stop(cutOff());
    });
    if (this.#request.destroyed || this.#request.readableEnded) return this.#stop(malformed());
    this.#request.on("data", this.#onBytes).on("end", this.#onBodyEnd);
  }

  #listenToForm(): void {
    this.#form
      .on("field", (name, value, _nameCut, valueCut) => this.#onField(name, value, valueCut))
      .on("file", (name: string | undefined, source) => this.#onFile(name ?? "", source))
      .on("drain", () => {
        if (!this.#stopped) this.#request.resume();
      })
      .on("finish", () => this.#onFinish())
      .on("error", () => this.#stop(malformed()))
      .on("fieldsLimit", () => this.#stop(mistake("operations and map may be sent once.")))
      .on("filesLimit", () =>
        this.#stop(mistake(`More files came than a request may bring: at most ${this.#limits.maxFiles}.`)),
      )
      .on("partsLimit", () => this.#stop(mistake("The request has too many parts.")));
  }

  readonly #onBytes = (bytes: Buffer): void => {
    const { maxFieldBytes } = this.#limits;
    // The parser tells that a field is too long only when the field has ended.
    if (this.#awaited === null && this.#receivedBytes > fieldNames.length * maxFieldBytes + framingBytes) {
      this.#stop(mistake(`operations and map may have at most ${maxFieldBytes} bytes each.`));
      return;
    }
    this.#receivedBytes += bytes.byteLength;
    if (this.#receivedBytes > maxBodyBytes(this.#limits)) return this.#stop(fileTooLarge(this.#limits));
    try {
      if (this.#form.write(bytes)) return;
      this.#request.pause();
      this.#stopIfNothingCanFollow();
    } catch {
      this.#stop(malformed());
    }
  };

  readonly #onBodyEnd = (): void => {
    this.#bodyEnded = true;
    this.#form.end();
    this.#stopIfNothingCanFollow();
  };

  #onField(name: string, value: string, cut: boolean): void {
    const { maxFieldBytes } = this.#limits;
    if (this.#stopped) return;
    if (cut) return this.#stop(mistake(`${name} may have at most ${maxFieldBytes} bytes.`));
    if (this.#fields.has(name)) return this.#stop(mistake(`${name} may be sent once.`));
    this.#fields.set(name, value);
    const [operations, map] = fieldNames.map((field) => this.#fields.get(field));
    if (operations !== undefined && map !== undefined) this.#onFields(operations, map);
  }

  #onFields(operationsText: string, mapText: string): void {
    try {
      const operations = parseOperations(operationsText);
      const map = parseFileMap(mapText, this.#limits.maxFiles);
      this.#awaited = new Map([...map.keys()].map((name) => [name, new Upload(() => this.#handOver())]));
      for (const [name, paths] of map) {
        for (const path of paths) placeFile(operations, path, this.#awaited.get(name)?.file);
      }
      this.#settle.resolve(operations);
    } catch (error) {
      this.#stop(error instanceof ParleyError ? error : malformed());
    }
  }

  #onFile(name: string, source: BusboyFileStream): void {
    // The form tells of the same failure; without a listener here it would end the process.
    source.on("error", () => undefined);
    if (this.#stopped) return;
    if (this.#awaited === null) {
      return this.#stop(
        mistake(`The parts operations and map come first; ${quoted(name)} came before both were there.`),
      );
    }
    source.on("limit", () => this.#stop(fileTooLarge(this.#limits)));
    source.on("end", () => this.#stopIfNothingCanFollow());
    this.#parts.push(new FilePart(this.#awaited.get(name) ?? null, source));
    this.#awaited.delete(name);
    this.#handOver();
  }

  /** The last boundary was read. What may follow it is let go by. */
  #onFinish(): void {
    const missing = this.#awaited === null ? "the parts operations and map" : "a file part that map names";
    this.#rejectAwaited(mistake(`The request ends without ${missing}.`));
  }

  #handOver(): void {
    if (this.#stopped) return;
    for (const part of this.#parts) part.handOverIfWanted();
    // Later, because one who waits for several files asks for them one after the other.
    setImmediate(() => this.#skipUnused());
  }

  /** A part that nobody reads holds up all that stand behind it. */
  #skipUnused(): void {
    if (![...(this.#awaited?.values() ?? [])].some((upload) => upload.wanted)) return;
    const reason = mistake("Files are to be used in the order in which they were sent.");
    for (const part of this.#parts) if (!part.inUse) part.skip(reason);
  }

  /**
   * The parser stays silent about some bodies that end where nothing may end, and takes no more bytes when a part that it
   * passes over is long and the last. Where nobody reads a file its work is done in a few turns, so what stands still
   * for longer stands still for good.
   */
  #stopIfNothingCanFollow(turnsLeft = stillTurns, heldBytes = this.#form.writableLength): void {
    const isHeldByReader = this.#parts.some((part) => !part.ended);
    const heldNow = this.#form.writableLength;
    if (this.#stopped || isHeldByReader || (!this.#bodyEnded && heldNow === 0)) return;
    if (turnsLeft === 0) return this.#stop(malformed());
    setImmediate(() =>
      this.#stopIfNothingCanFollow(heldNow === heldBytes ? turnsLeft - 1 : stillTurns, heldNow),
    );
  }

  #rejectAwaited(reason: ParleyError): void {
    this.#settle.reject(reason);
    for (const upload of this.#awaited?.values() ?? []) upload.reject(reason);
  }

  #stop(reason: ParleyError): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#request.off("data", this.#onBytes).off("end", this.#onBodyEnd).pause();
    this.#rejectAwaited(reason);
    for (const part of this.#parts) part.fail(reason);
  }
}

function malformed(): ParleyError {
  return mistake("The multipart body is malformed, or it ends too early.");
}

function cutOff(): ParleyError {
  return mistake("The connection was lost before the whole request was received.");
}

function mistake(message: string): ParleyError {
  return new ParleyError("BAD_USER_INPUT", message);
}
