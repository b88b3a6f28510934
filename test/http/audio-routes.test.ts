import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import Fastify from "fastify";
import type { FastifyInstance } from "fastify";
import { createHash, randomBytes } from "node:crypto";
import { mkdtemp, rm, truncate } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pino } from "pino";
import { registerAudioRoutes } from "../../src/http/audio-routes.js";
import type { ServedClip } from "../../src/http/audio-routes.js";
import { clipUrl } from "../../src/services/audio/clip-url.js";
import { registerHttpErrors } from "../../src/http/http-errors.js";
import { newId } from "../../src/ids.js";
import type { AudioStore } from "../../src/storage/audio-store.js";
import { FileAudioStore } from "../../src/storage/file-audio-store.js";

const bytes = randomBytes(200_000);
const sha256 = createHash("sha256").update(bytes).digest("hex");
const createdAt = new Date("2026-11-22T10:20:30.400Z");

let directory: string;
let store: AudioStore;
let app: FastifyInstance;
let origin: string;
let clip: ServedClip;
let logged: string[];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "parley-audio-routes-"));
  store = new FileAudioStore(directory);
  clip = clipRow("WAV");
  const draft = await store.create();
  await draft.append(bytes);
  await draft.commit(clip.storageKey);
  logged = [];
  await listen(store);
});

afterEach(async () => {
  await app.close();
  await rm(directory, { recursive: true, force: true });
});

function clipRow(format: string): ServedClip {
  const id = newId("clip");
  return {
    id,
    storageKey: `conv_1/${id}.bin`,
    format,
    byteLength: bytes.byteLength,
    sha256,
    createdAt,
    urlEndsAt: null,
    byHeader: false,
  };
}

interface ListenOptions {
  growing?: Readable | null;
  stallMs?: number;
}

async function listen(audioStore: AudioStore, { growing, stallMs }: ListenOptions = {}): Promise<void> {
  app = Fastify({ forceCloseConnections: true });
  const logger = pino({ level: "error" }, { write: (line) => void logged.push(line) });
  registerHttpErrors(app, logger);
  const findClip = (_request: unknown, id: string) => Promise.resolve(id === clip.id ? clip : null);
  const openGrowing = () => Promise.resolve(growing ?? null);
  registerAudioRoutes(app, { findClip, openGrowing, store: audioStore, stallMs: stallMs ?? 30_000, logger });
  origin = await app.listen({ port: 0, host: "127.0.0.1" });
}

const get = (path = `/audio/${clip.id}.wav`, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(origin + path, { headers });

const bodyOf = async (response: Response): Promise<Buffer> => Buffer.from(await response.arrayBuffer());

describe("The URL of a clip", () => {
  it("is absolute and ends with the format's own extension", () => {
    expect(clipUrl("https://parley.example", { id: "clip_1", format: "OPUS" })).toBe(
      "https://parley.example/audio/clip_1.ogg",
    );
  });

  it("answers with the bytes as they are kept, and says what they are", async () => {
    const response = await fetch(clipUrl(origin, clip));
    expect(response.status).toBe(200);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      "accept-ranges": "bytes",
      "cache-control": "private, max-age=31536000, immutable",
      "content-length": "200000",
      "content-security-policy": "default-src 'none'; sandbox",
      "content-type": "audio/wav",
      "cross-origin-resource-policy": "cross-origin",
      etag: `"${sha256}"`,
      "last-modified": "Sun, 22 Nov 2026 10:20:30 GMT",
      "x-content-type-options": "nosniff",
    });
    expect(response.headers.has("content-disposition")).toBe(false);
    expect((await bodyOf(response)).equals(bytes)).toBe(true);
  });

  it("works without the extension", async () => {
    const response = await get(`/audio/${clip.id}`);
    expect((await bodyOf(response)).equals(bytes)).toBe(true);
  });

  it.each([
    ["MP3", "mp3", "audio/mpeg"],
    ["FLAC", "flac", "audio/flac"],
    ["OPUS", "ogg", "audio/ogg; codecs=opus"],
    ["AAC", "aac", "audio/aac"],
    ["PCM16", "pcm", "audio/pcm;rate=24000;channels=1"],
  ])("says the type of %s", async (format, extension, mimeType) => {
    clip = { ...clip, format };
    const response = await get(`/audio/${clip.id}.${extension}`);
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe(mimeType);
    await response.body?.cancel();
  });

  it("answers HEAD with what GET would say, and no bytes", async () => {
    const [whole, headed] = [await get(), await fetch(clipUrl(origin, clip), { method: "HEAD" })];
    await whole.body?.cancel();
    const described = (response: Response) =>
      Object.fromEntries(
        [...response.headers].filter(([name]) => !["date", "connection", "keep-alive"].includes(name)),
      );
    expect(headed.status).toBe(200);
    expect(described(headed)).toEqual(described(whole));
    expect((await bodyOf(headed)).byteLength).toBe(0);
  });

  it.each(["POST", "PUT", "PATCH", "DELETE"])("refuses %s and says what is allowed", async (method) => {
    const response = await fetch(clipUrl(origin, clip), { method });
    expect(response.status).toBe(405);
    expect(response.headers.get("allow")).toBe("GET, HEAD");
    expect(await response.json()).toMatchObject({ errors: [{ extensions: { code: "BAD_REQUEST" } }] });
  });
});

describe("A part of a clip", () => {
  it.each([
    ["bytes=0-43", 0, 43],
    ["bytes=44-", 44, 199_999],
    ["bytes=-1000", 199_000, 199_999],
    ["bytes=199999-300000", 199_999, 199_999],
  ])("is sent for %s", async (range, start, end) => {
    const response = await get(undefined, { range });
    expect(response.status).toBe(206);
    expect(response.headers.get("content-range")).toBe(`bytes ${start}-${end}/200000`);
    expect(response.headers.get("content-length")).toBe(String(end - start + 1));
    expect(response.headers.get("etag")).toBe(`"${sha256}"`);
    expect((await bodyOf(response)).equals(bytes.subarray(start, end + 1))).toBe(true);
  });

  it("is refused where there is none, and nothing may keep that answer", async () => {
    const response = await get(undefined, { range: "bytes=200000-" });
    expect(response.status).toBe(416);
    expect(response.headers.get("content-range")).toBe("bytes */200000");
    expect(response.headers.get("cache-control")).toBe("no-store");
    expect((await bodyOf(response)).byteLength).toBe(0);
  });

  it("is not sent for HEAD", async () => {
    const response = await fetch(clipUrl(origin, clip), { method: "HEAD", headers: { range: "bytes=0-9" } });
    expect(response.status).toBe(200);
    expect(response.headers.get("content-length")).toBe("200000");
  });

  it("is sent only of the bytes that If-Range names", async () => {
    const stale = await get(undefined, { range: "bytes=0-9", "if-range": '"old"' });
    expect(stale.status).toBe(200);
    await stale.body?.cancel();
    const same = await get(undefined, { range: "bytes=0-9", "if-range": `"${sha256}"` });
    expect(same.status).toBe(206);
    expect((await bodyOf(same)).byteLength).toBe(10);
  });

  it.each(["GET", "HEAD"])("is not needed by a %s of who holds it already", async (method) => {
    const headers = { "if-none-match": `W/"${sha256}"` };
    const response = await fetch(clipUrl(origin, clip), { method, headers });
    expect(response.status).toBe(304);
    expect(response.headers.get("etag")).toBe(`"${sha256}"`);
    expect(response.headers.has("content-type")).toBe(false);
    expect((await bodyOf(response)).byteLength).toBe(0);
  });
});

describe("A download", () => {
  const long = "n".repeat(300);
  it.each([
    ["?download", () => `attachment; filename="${clip.id}.wav"`],
    ["?download=", () => `attachment; filename="${clip.id}.wav"`],
    ["?download=answer.wav", () => 'attachment; filename="answer.wav"'],
    ["?download=answer.wav&download=other.wav", () => 'attachment; filename="answer.wav"'],
    ["?download=..%2F..%2Fetc%2Fpasswd", () => 'attachment; filename="passwd"'],
    ["?download=C%3A%5Cwindows%5Cx.wav", () => 'attachment; filename="x.wav"'],
    ["?download=a%0D%0Ab%00%22%E2%80%AE.wav", () => 'attachment; filename="ab\\".wav"'],
    ["?download=.hidden.", () => 'attachment; filename="hidden"'],
    ["?download=%2F..", () => `attachment; filename="${clip.id}.wav"`],
    [
      "?download=gr%C3%BC%C3%9Fe%20%F0%9F%90%95.wav",
      () => "attachment; filename=\"gr_e _.wav\"; filename*=UTF-8''gr%C3%BC%C3%9Fe%20%F0%9F%90%95.wav",
    ],
    [`?download=${long}`, () => `attachment; filename="${long.slice(0, 100)}"`],
    ["?download=%ED%A0%80x", () => null],
  ])("with %s is named safely", async (query, expected) => {
    const response = await get(`/audio/${clip.id}.wav${query}`);
    expect(response.status).toBe(200);
    await response.body?.cancel();
    const disposition = response.headers.get("content-disposition");
    const name = expected();
    if (name === null) expect(disposition).toMatch(/^attachment; filename=/);
    else expect(disposition).toBe(name);
  });
});

describe("A clip that is not there", () => {
  const notFound = { errors: [{ message: expect.any(String), extensions: { code: "NOT_FOUND" } }] };

  it.each([
    ["another id", () => newId("clip")],
    ["another type of id", () => newId("msg")],
    ["another extension", () => `${clip.id}.mp3`],
    ["a second extension", () => `${clip.id}.wav.wav`],
    ["nothing", () => ""],
    ["a path", () => `${clip.id}/x`],
    ["an escaped path", () => "..%2F..%2Fetc%2Fpasswd"],
    ["a null character", () => `${clip.id}%00.wav`],
    ["lower case", () => clip.id.toLowerCase()],
    ["a long name", () => "x".repeat(2000)],
  ])("is not found: %s", async (_name, name) => {
    const response = await get(`/audio/${name()}`);
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject(notFound);
    expect(response.headers.has("cache-control")).toBe(false);
    expect(logged).toEqual([]);
  });

  it.each(["GET", "HEAD"])(
    "is not found by %s where only its bytes are gone, and the log tells",
    async (method) => {
      await store.delete(clip.storageKey);
      const response = await fetch(clipUrl(origin, clip), { method });
      expect(response.status).toBe(404);
      expect(logged).toEqual([expect.stringContaining(clip.id)]);
    },
  );

  it("is not found where some of its bytes are gone, so that nobody waits for the rest", async () => {
    await truncate(join(directory, clip.storageKey), 1000);
    expect((await get()).status).toBe(404);
    expect(logged).toEqual([expect.stringContaining('"storedBytes":1000')]);
  });

  it("is not found where it is deleted in between, and the answer has no headers of sound", async () => {
    await app.close();
    await listen({ ...boundTo(store), read: () => Promise.resolve(null) });
    const response = await get();
    expect(response.status).toBe(404);
    expect(response.headers.has("etag")).toBe(false);
    expect(await response.json()).toMatchObject(notFound);
    expect(logged).toEqual([expect.stringContaining(clip.id)]);
  });
});

describe("A listener", () => {
  /** Sound without end, as far as a test is concerned; counts what was asked for. */
  function slowStore(): { slow: AudioStore; producedBytes: () => number; destroyed: Promise<void> } {
    let producedBytes = 0;
    let onDestroyed: () => void = () => undefined;
    const destroyed = new Promise<void>((resolve) => (onDestroyed = resolve));
    const read = () => {
      const stream = new Readable({
        read() {
          producedBytes += 65_536;
          this.push(Buffer.alloc(65_536));
        },
        destroy(error, callback) {
          onDestroyed();
          callback(error);
        },
      });
      return Promise.resolve(stream);
    };
    clip = { ...clip, byteLength: 500_000_000 };
    const slow = { ...boundTo(store), size: () => Promise.resolve(clip.byteLength), read };
    return { slow, producedBytes: () => producedBytes, destroyed };
  }

  it("who does not read holds the store back, and who hangs up ends its stream", async () => {
    await app.close();
    const { slow, producedBytes, destroyed } = slowStore();
    await listen(slow);
    const socket = connect(Number(new URL(origin).port), "127.0.0.1");
    socket.on("error", () => undefined);
    socket.write(`GET /audio/${clip.id} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`);
    await new Promise((resolve) => socket.once("readable", resolve));
    socket.destroy();
    await destroyed;
    expect(producedBytes()).toBeLessThan(50_000_000);
  });

  /** A client that takes no byte of the answer, and what becomes of its connection. */
  function deafClient(): { cutOff: Promise<void> } {
    const socket = connect(Number(new URL(origin).port), "127.0.0.1");
    socket.pause();
    socket.on("error", () => undefined);
    socket.write(`GET /audio/${clip.id} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`);
    app.server.once("connection", (accepted) => void accepted.once("close", () => socket.destroy()));
    return { cutOff: new Promise((resolve) => void socket.once("close", resolve)) };
  }

  it("who takes no byte for some time is cut off, and its stream ends", async () => {
    await app.close();
    const { slow, destroyed } = slowStore();
    await listen(slow, { stallMs: 100 });
    const { cutOff } = deafClient();
    await Promise.all([cutOff, destroyed]);
  });

  it("who takes no byte of a clip that grows is cut off, and its stream ends", async () => {
    await app.close();
    const { slow, destroyed } = slowStore();
    clip = { ...clip, sha256: null };
    const growing = await slow.read(clip.storageKey);
    await listen(slow, { growing, stallMs: 100 });
    const { cutOff } = deafClient();
    await Promise.all([cutOff, destroyed]);
  });

  it("who has taken all that there is waits for more, however long it takes", async () => {
    await app.close();
    clip = { ...clip, sha256: null };
    let isIdle: () => void = () => undefined;
    const idle = new Promise<void>((resolve) => (isIdle = resolve));
    const spoken = async function* () {
      yield Buffer.from("one ");
      await idle;
      yield Buffer.from("two");
    };
    await listen(store, { growing: Readable.from(spoken()), stallMs: 50 });
    app.server.on("timeout", () => isIdle());
    expect((await bodyOf(await get())).toString()).toBe("one two");
  });

  it("is cut off where the bytes fail on the way, so that nobody takes a part for the whole", async () => {
    await app.close();
    const failing = () =>
      Promise.resolve(
        Readable.from(
          (async function* () {
            yield await Promise.resolve(Buffer.alloc(1000));
            throw new Error("the disk failed");
          })(),
        ),
      );
    await listen({ ...boundTo(store), read: failing });
    const response = await get();
    await expect(response.arrayBuffer()).rejects.toThrow();
  });
});

/** The store's own methods, to be replaced one by one: a class's are not copied by a spread. */
function boundTo(inner: AudioStore): AudioStore {
  return {
    create: (key) => inner.create(key),
    copyDraft: (key) => inner.copyDraft(key),
    deleteDraft: (key) => inner.deleteDraft(key),
    readDraft: (key, span) => inner.readDraft(key, span),
    read: (key, span) => inner.read(key, span),
    size: (key) => inner.size(key),
    measure: (key) => inner.measure(key),
    delete: (key) => inner.delete(key),
    sweepDrafts: (olderThanMs) => inner.sweepDrafts(olderThanMs),
    draftKeys: (olderThanMs) => inner.draftKeys(olderThanMs),
    claim: (tag) => inner.claim(tag),
    keys: (olderThanMs) => inner.keys(olderThanMs),
    keysIn: (folder) => inner.keysIn(folder),
    check: () => inner.check(),
  };
}
