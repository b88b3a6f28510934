import { randomUUID } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import type { Socket } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, it } from "@jest/globals";
import { newId } from "../../src/ids.js";
import { opusFile, opusPackets } from "../helpers/audio-fixtures.js";
import { onEachDatabase } from "../helpers/databases.js";
import type { DatabaseKind } from "../helpers/databases.js";
import { askByText, startedConversation } from "../helpers/operations.js";
import { sharedParley, TestParley } from "../helpers/parley.js";
import { signedQuery, tampered } from "../helpers/signing.js";
import { download, keptSoundFiles, sha256Of, spokenWav } from "../helpers/sound.js";
import { openSql } from "../helpers/sql.js";
import type { Sql } from "../helpers/sql.js";
import {
  askByUpload,
  createAudioUpload,
  createdUpload,
  put,
  receivedUpload,
  sendByUpload,
} from "../helpers/uploads.js";

const wav = spokenWav(200);
const minuteMs = 60_000;

async function codesOf(answer: Promise<{ errors: { extensions: { code: string } }[] }>): Promise<string[]> {
  return (await answer).errors.map(({ extensions }) => extensions.code);
}

/** Lets an instant of an upload's row lie so long ago. */
async function setBack(parley: TestParley, id: string, column: string, ms: number): Promise<void> {
  const sql = await openSql(parley.databaseUrl);
  const then = new Date(Date.now() - ms).toISOString().replace("Z", "+00:00");
  await sql(`UPDATE "AudioUpload" SET "${column}" = '${then}' WHERE "id" = '${id}'`);
}

/** As soon as a server has written which file an upload is to have, another one writes its own; until what is returned is called. */
async function takeReservations(sql: Sql, kind: DatabaseKind): Promise<() => Promise<unknown>> {
  const trigger = `CREATE TRIGGER take_it AFTER UPDATE ON "AudioUpload" FOR EACH ROW
    WHEN (NEW."storageKey" NOT LIKE '%/other' AND NEW."receivedAt" IS NULL)`;
  const take = `UPDATE "AudioUpload" SET "storageKey" = NEW."id" || '/other' WHERE "id" = NEW."id";`;
  if (kind === "sqlite") {
    await sql(`${trigger} BEGIN ${take} END`);
    return () => sql("DROP TRIGGER take_it");
  }
  await sql(
    `CREATE FUNCTION take_it() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN ${take} RETURN NULL; END $$`,
  );
  await sql(`${trigger} EXECUTE FUNCTION take_it()`);
  return () => sql(`DROP TRIGGER take_it ON "AudioUpload"`);
}

interface UploadRow {
  id: string;
  storageKey: string | null;
}

async function rowsOf(parley: TestParley): Promise<UploadRow[]> {
  const sql = await openSql(parley.databaseUrl);
  return (await sql('SELECT "id", "storageKey" FROM "AudioUpload" ORDER BY "id"')) as UploadRow[];
}

onEachDatabase("Sound that was uploaded before its turn", (kind) => {
  const shared = sharedParley(kind);

  it("is asked with like any other, as it was sent or converted, and its file goes with its use", async () => {
    const parley = shared();
    const webm = await opusFile("webm-live", opusPackets({ channels: 1, durationMs: 400, frequencyHz: 440 }));
    for (const [bytes, type] of [
      [wav, "no type at all"],
      [webm, "application/json; charset=iso-8859-1"],
    ] as const) {
      const before = await keptSoundFiles(parley);
      const upload = await createdUpload(parley, bytes.byteLength, sha256Of(bytes));
      expect(upload.uploadId).toMatch(/^upl_/);
      expect(upload.uploadUrl.startsWith(`${parley.url}/uploads/${upload.uploadId}?`)).toBe(true);
      const endsInMs = new Date(upload.expiresAt).getTime() - Date.now();
      expect(endsInMs).toBeGreaterThan(14.5 * minuteMs);
      expect(endsInMs).toBeLessThanOrEqual(15 * minuteMs + 1_000);

      const { status, body } = await put(upload.uploadUrl, bytes, { "content-type": type });
      const { uploadId } = upload;
      expect([status, body]).toEqual([
        200,
        { uploadId, byteLength: bytes.byteLength, sha256: sha256Of(bytes) },
      ]);
      const turn = await askByUpload(parley, await startedConversation(parley), uploadId);
      const clip = turn.userMessage.audio;
      expect([turn.status, clip?.format]).toEqual(["COMPLETED", "WAV"]);
      expect((await download(clip)).byteLength).toBe(clip?.byteLength);
      if (bytes === wav) expect(clip?.sha256).toBe(sha256Of(wav));
      // The clip, and nothing of the upload.
      expect(await keptSoundFiles(parley)).toHaveLength(before.length + 1);
    }
  });

  it("can be announced with one byte up to the limit, and with no malformed hash", async () => {
    const parley = shared();
    const input = (byteLength: number, sha256?: string) => ({ input: { byteLength, sha256 } });
    const refused: [object, string][] = [
      [input(0), "BAD_USER_INPUT"],
      [input(-1), "BAD_USER_INPUT"],
      [input(20 * 1024 * 1024 + 1), "AUDIO_TOO_LARGE"],
      [input(1, "abc"), "BAD_USER_INPUT"],
      [input(1, sha256Of(wav).toUpperCase()), "BAD_USER_INPUT"],
    ];
    for (const [variables, code] of refused)
      expect(await codesOf(parley.send(createAudioUpload, variables))).toEqual([code]);
    expect(await codesOf(parley.send(createAudioUpload, input(1, sha256Of(wav))))).toEqual([]);
    expect(await codesOf(parley.send(createAudioUpload, input(20 * 1024 * 1024)))).toEqual([]);
  });

  it("of another length or with another hash is refused, leaves nothing, and can be sent again", async () => {
    const parley = shared();
    const files = await keptSoundFiles(parley);
    const upload = await createdUpload(parley, wav.byteLength, sha256Of(wav));
    const longer = Buffer.concat([wav, Buffer.alloc(1)]);
    const refused: [Uint8Array, number, string][] = [
      [longer, 413, "AUDIO_TOO_LARGE"],
      [wav.subarray(0, -1), 400, "BAD_USER_INPUT"],
      [new Uint8Array(0), 400, "BAD_USER_INPUT"],
      [spokenWav(200, 880), 400, "BAD_USER_INPUT"],
    ];
    for (const [bytes, status, code] of refused) {
      expect(await put(upload.uploadUrl, bytes)).toMatchObject({ status, code });
      expect(await putInPieces(upload.uploadUrl, bytes)).toMatchObject({ status, code });
    }
    expect(await keptSoundFiles(parley)).toEqual(files);
    expect(await codesOf(sendByUpload(parley, await startedConversation(parley), upload.uploadId))).toEqual([
      "BAD_USER_INPUT",
    ]);
    expect((await putInPieces(upload.uploadUrl, wav)).status).toBe(200);
    await askByUpload(parley, await startedConversation(parley), upload.uploadId);
  });

  it("is kept once: the same bytes again are answered as before, others are refused", async () => {
    const parley = shared();
    const upload = await createdUpload(parley, wav.byteLength);
    const first = await put(upload.uploadUrl, wav);
    const files = await keptSoundFiles(parley);
    expect(await put(upload.uploadUrl, wav)).toEqual(first);
    const other = { status: 409, code: "UPLOAD_ALREADY_RECEIVED" };
    expect(await put(upload.uploadUrl, spokenWav(200, 880))).toMatchObject(other);
    expect(await keptSoundFiles(parley)).toEqual(files);
    const turn = await askByUpload(parley, await startedConversation(parley), upload.uploadId);
    expect(turn.userMessage.audio?.sha256).toBe(sha256Of(wav));
    expect(await put(upload.uploadUrl, wav)).toEqual(first);
    expect(await put(upload.uploadUrl, spokenWav(200, 880))).toMatchObject(other);
  });

  it("that comes twice at the same moment is kept once", async () => {
    const parley = shared();
    const files = await keptSoundFiles(parley);
    const upload = await createdUpload(parley, wav.byteLength);
    const puts = [1, 2, 3, 4].map(() => put(upload.uploadUrl, wav).catch(() => null));
    const answers = await Promise.all(puts);
    expect(answers.some((answer) => answer?.status === 200)).toBe(true);
    // The drafts of those that were cut off go when their ends are noticed.
    while ((await keptSoundFiles(parley)).length !== files.length + 1) await delay(10);
    await askByUpload(parley, await startedConversation(parley), upload.uploadId);
  });

  it("that another server takes at the same moment is to be sent again, until one of them has it", async () => {
    const parley = await TestParley.start(kind);
    const upload = await createdUpload(parley, wav.byteLength);
    const giveBack = await takeReservations(await openSql(parley.databaseUrl), kind);
    expect(await put(upload.uploadUrl, wav)).toMatchObject({ status: 400, code: "BAD_USER_INPUT" });
    await giveBack();
    expect(await put(upload.uploadUrl, wav)).toMatchObject({ status: 200 });
    expect(await keptSoundFiles(parley)).toHaveLength(1);
  });

  it("can't be sent to a URL that was changed, that has ended, or that is for something else", async () => {
    const parley = shared();
    const { uploadId, uploadUrl } = await createdUpload(parley, wav.byteLength);
    const forbidden = { status: 403, code: "FORBIDDEN" };
    for (const [how, url] of tampered(uploadUrl))
      expect([how, await put(url, wav)]).toEqual([how, expect.objectContaining(forbidden)]);
    const at = async (grant: {
      purpose?: string;
      objectId?: string;
      viewerId?: string;
      expires?: number;
    }) => {
      const query = await signedQuery(parley, { purpose: "upload", objectId: uploadId, ...grant });
      return put(`${parley.url}/uploads/${grant.objectId ?? uploadId}?${query}`, wav);
    };
    expect(await at({ expires: Math.floor(Date.now() / 1000) - 1 })).toMatchObject(forbidden);
    expect(await at({ purpose: "audio" })).toMatchObject(forbidden);
    const { uploadId: another } = await createdUpload(parley, wav.byteLength);
    expect(await put(uploadUrl.replace(uploadId, another), wav)).toMatchObject(forbidden);
    const absent = { status: 404, code: "NOT_FOUND" };
    expect(await at({ viewerId: "viewer_other" })).toMatchObject(absent);
    expect(await at({ objectId: newId("upl") })).toMatchObject(absent);
    expect(await at({ objectId: "upl_1" })).toMatchObject(absent);
    expect((await put(uploadUrl, wav)).status).toBe(200);
  });

  it("is no one's but its owner's, and none that is unknown, malformed or has ended", async () => {
    const parley = shared();
    const conversationId = await startedConversation(parley);
    const ended = (await receivedUpload(parley, wav)).uploadId;
    await setBack(parley, ended, "expiresAt", 1);
    const others = (await receivedUpload(parley, wav)).uploadId;
    const sql = await openSql(parley.databaseUrl);
    await sql(`UPDATE "AudioUpload" SET "ownerId" = 'viewer_other' WHERE "id" = '${others}'`);
    const unknown = [newId("upl"), newId("clip"), "", "upl_", "../../etc/passwd", "x".repeat(100_000), "\0"];
    for (const id of [ended, others, ...unknown])
      expect(await codesOf(sendByUpload(parley, conversationId, id))).toEqual(["NOT_FOUND"]);
    const query = "query ($id: ID!) { node(id: $id) { id } }";
    const { uploadId: id } = await receivedUpload(parley, wav);
    expect(await parley.ask(query, { id })).toEqual({ node: null });
  });

  it("makes one turn, also where two ask with it at the same moment", async () => {
    const parley = shared();
    const { uploadId } = await receivedUpload(parley, wav);
    const conversations = await Promise.all([1, 2, 3].map(() => startedConversation(parley)));
    const files = await keptSoundFiles(parley);
    const answers = await Promise.all(conversations.map((id) => sendByUpload(parley, id, uploadId)));
    const codes = answers.flatMap(({ errors }) => errors.map(({ extensions }) => extensions.code));
    expect(codes).toEqual(["NOT_FOUND", "NOT_FOUND"]);
    // The upload has become the clip.
    expect(await keptSoundFiles(parley)).toHaveLength(files.length);
    expect(await codesOf(sendByUpload(parley, await startedConversation(parley), uploadId))).toEqual([
      "NOT_FOUND",
    ]);
  });

  it("answers with the same turn when its request comes again with its key", async () => {
    const parley = shared();
    const conversationId = await startedConversation(parley);
    const { uploadId } = await receivedUpload(parley, wav);
    const idempotencyKey = "once";
    const send = () => sendByUpload(parley, conversationId, uploadId, { idempotencyKey });
    const atOnce = await Promise.all([send(), send(), send()]);
    const ids = [...atOnce, await send()].map(({ data }) => data?.addAudioTurn.turn.id);
    expect(new Set(ids).size).toBe(1);
    expect(ids[0]).toMatch(/^turn_/);
    const { uploadId: same } = await receivedUpload(parley, wav);
    expect((await askByUpload(parley, conversationId, same, { idempotencyKey })).id).toBe(ids[0]);
    // It was not needed, so it can still be used.
    const turn = await askByUpload(parley, conversationId, same);
    expect(turn.position).toBe(2);
    const others: [string, object, string][] = [
      [uploadId, { idempotencyKey, text: "And this?" }, "IDEMPOTENCY_KEY_REUSED"],
      [uploadId, { idempotencyKey: "another" }, "NOT_FOUND"],
      [uploadId, {}, "NOT_FOUND"],
      [
        (await receivedUpload(parley, spokenWav(200, 880))).uploadId,
        { idempotencyKey },
        "IDEMPOTENCY_KEY_REUSED",
      ],
    ];
    for (const [id, more, code] of others)
      expect(await codesOf(sendByUpload(parley, conversationId, id, more))).toEqual([code]);
  });

  it("can be used after a turn with it was refused", async () => {
    const parley = shared();
    const conversationId = await startedConversation(parley);
    const pause = parley.standIn.pauseNext("before-answer");
    const running = askByText(parley, conversationId, "Say 'one'.");
    await pause.reached;
    const { uploadId } = await receivedUpload(parley, wav);
    expect(await codesOf(sendByUpload(parley, conversationId, uploadId))).toEqual(["TURN_IN_PROGRESS"]);
    pause.release();
    await running;
    const turn = await askByUpload(parley, conversationId, uploadId);
    expect(turn.userMessage.audio?.sha256).toBe(sha256Of(wav));
  });

  it("that is no sound is refused when a turn asks with it", async () => {
    const parley = shared();
    const { uploadId } = await receivedUpload(parley, Buffer.from("not sound".repeat(100)));
    const conversationId = await startedConversation(parley);
    const ask = () => codesOf(sendByUpload(parley, conversationId, uploadId));
    expect([await ask(), await ask()]).toEqual([["AUDIO_FORMAT_UNSUPPORTED"], ["AUDIO_FORMAT_UNSUPPORTED"]]);
  });
});

/** Without a Content-Length. */
async function putInPieces(url: string, bytes: Uint8Array) {
  const body = new ReadableStream({
    start(controller) {
      for (let offset = 0; offset < bytes.byteLength; offset += 4_096)
        controller.enqueue(bytes.subarray(offset, offset + 4_096));
      controller.close();
    },
  });
  const response = await fetch(url, { method: "PUT", body, duplex: "half" });
  const answer = (await response.json()) as { errors?: { extensions: { code: string } }[] };
  return { status: response.status, code: answer.errors?.[0]?.extensions.code };
}

onEachDatabase("Uploads that wait for their use", (kind) => {
  it("are at most 20 of a viewer, also where they are created at the same moment", async () => {
    const parley = await TestParley.start(kind);
    const input = { byteLength: wav.byteLength };
    const create = () =>
      parley.send<{ createAudioUpload: { uploadId: string } } | null>(createAudioUpload, { input });
    const answers = await Promise.all(Array.from({ length: 25 }, create));
    const errors = answers.flatMap((answer) => answer.errors);
    expect(errors.map(({ extensions }) => extensions.code)).toEqual(Array(5).fill("RATE_LIMITED"));
    expect(errors[0]?.extensions.retryable).toBe(true);
    expect(errors[0]?.extensions.retryAfterMs).toBeGreaterThan(14 * minuteMs);
    const [id = ""] = answers.flatMap(({ data }) => data?.createAudioUpload.uploadId ?? []);
    await setBack(parley, id, "expiresAt", 1);
    expect(await codesOf(create())).toEqual([]);
    expect(await codesOf(create())).toEqual(["RATE_LIMITED"]);
  });

  it("are swept with their files when they have ended, what a crash left among them; others stay", async () => {
    const parley = await TestParley.start(kind);
    const kept = await receivedUpload(parley, wav);
    const turn = await askByUpload(
      parley,
      await startedConversation(parley),
      (await receivedUpload(parley, wav)).uploadId,
    );
    const clips = await keptSoundFiles(parley);
    const ended = [await receivedUpload(parley, wav), await createdUpload(parley, wav.byteLength)];
    for (const { uploadId } of ended) await setBack(parley, uploadId, "expiresAt", 11 * minuteMs);
    // As a server leaves them that dies before the row says that the bytes are there, and before a used file is gone.
    const cutOff = (await createdUpload(parley, wav.byteLength)).uploadId;
    await leaveFile(parley, cutOff);
    await setBack(parley, cutOff, "expiresAt", 11 * minuteMs);
    const [used] = (await rowsOf(parley)).filter(
      ({ storageKey, id }) => storageKey === null && id < (ended[0]?.uploadId ?? ""),
    );
    await leaveFile(parley, used?.id ?? "");
    await setBack(parley, used?.id ?? "", "usedAt", 11 * minuteMs);
    expect((await keptSoundFiles(parley)).length).toBe(clips.length + 3);

    parley.server.context.housekeeping.start();
    // A file goes before its row tells so.
    const isSwept = (rows: UploadRow[]) =>
      rows.length === 2 && rows.every(({ id, storageKey }) => id === kept.uploadId || storageKey === null);
    while (!isSwept(await rowsOf(parley))) await delay(10);
    expect((await keptSoundFiles(parley)).sort()).toEqual(clips.sort());
    expect((await rowsOf(parley)).map(({ id }) => id)).toEqual([kept.uploadId, used?.id].sort());
    expect((await download(turn.userMessage.audio)).byteLength).toBe(wav.byteLength);
    await askByUpload(parley, await startedConversation(parley), kept.uploadId);

    await setBack(parley, used?.id ?? "", "usedAt", 8 * 24 * 60 * minuteMs);
    parley.server.context.housekeeping.start();
    while ((await rowsOf(parley)).some(({ id }) => id === used?.id)) await delay(10);
  });
});

/** Puts a file where the row says that one is. */
async function leaveFile(parley: TestParley, id: string): Promise<void> {
  const storageKey = `${id}/${randomUUID()}`;
  await mkdir(join(parley.dataDir, "audio", id), { recursive: true });
  await writeFile(join(parley.dataDir, "audio", storageKey), wav);
  const sql = await openSql(parley.databaseUrl);
  await sql(`UPDATE "AudioUpload" SET "storageKey" = '${storageKey}' WHERE "id" = '${id}'`);
}

/** Sends the head of the request that PUTs an upload, and leaves its body to the test. */
function sendHead(uploadUrl: string, length: string): Socket {
  const { hostname, port, pathname, search } = new URL(uploadUrl);
  const socket = connect(Number(port), hostname);
  socket.on("error", () => undefined);
  socket.write(`PUT ${pathname}${search} HTTP/1.1\r\nhost: ${hostname}:${port}\r\n${length}\r\n\r\n`);
  return socket;
}

describe("A client that sends an upload", () => {
  const shared = sharedParley("sqlite");

  it("and hangs up in the middle leaves nothing, and can send it again", async () => {
    const parley = shared();
    const files = await keptSoundFiles(parley);
    const { uploadUrl } = await createdUpload(parley, wav.byteLength);
    const socket = sendHead(uploadUrl, `content-length: ${wav.byteLength}`);
    socket.write(wav.subarray(0, 5_000));
    while ((await keptSoundFiles(parley)).length === files.length) await delay(10);
    socket.destroy();
    while ((await keptSoundFiles(parley)).length > files.length) await delay(10);
    expect((await put(uploadUrl, wav)).status).toBe(200);
    expect(parley.log.filter((line) => line.includes('"level":50'))).toEqual([]);
  });

  it("over a second connection, while the first one is dead and nobody knows it, gets through", async () => {
    const parley = shared();
    const files = await keptSoundFiles(parley);
    const { uploadUrl } = await createdUpload(parley, wav.byteLength);
    const dead = sendHead(uploadUrl, `content-length: ${wav.byteLength}`);
    dead.write(wav.subarray(0, 5_000));
    while ((await keptSoundFiles(parley)).length === files.length) await delay(10);
    const closed = new Promise((resolve) => dead.once("close", resolve));
    expect((await put(uploadUrl, wav)).status).toBe(200);
    await closed;
    while ((await keptSoundFiles(parley)).length !== files.length + 1) await delay(10);
  });

  it("with more bytes than were announced is answered before it has sent them all", async () => {
    const { uploadUrl } = await createdUpload(shared(), 1_000);
    const socket = sendHead(uploadUrl, "transfer-encoding: chunked");
    socket.write(`${(5_000).toString(16)}\r\n`);
    socket.write(wav.subarray(0, 5_000));
    expect(await text(socket)).toMatch(/^HTTP\/1\.1 413 [^]*"AUDIO_TOO_LARGE"/);
  });

  it.each(["GET", "POST", "DELETE"])("must PUT it: %s is refused", async (method) => {
    const { uploadUrl } = await createdUpload(shared(), 1_000);
    const response = await fetch(uploadUrl, { method });
    expect([response.status, response.headers.get("allow")]).toEqual([405, "PUT"]);
    expect(await response.json()).toMatchObject({ errors: [{ extensions: { code: "BAD_REQUEST" } }] });
  });

  it("may be a page of a listed origin, which may PUT nowhere else", async () => {
    const parley = shared();
    const { uploadUrl } = await createdUpload(parley, wav.byteLength);
    const origin = "https://studio.apollographql.com";
    const allowed = async (url: string, from: string) => {
      const headers = { origin: from, "access-control-request-method": "PUT" };
      const { headers: told } = await fetch(url, { method: "OPTIONS", headers });
      return [told.get("access-control-allow-origin"), told.get("access-control-allow-methods")];
    };
    expect(await allowed(uploadUrl, origin)).toEqual([origin, "PUT"]);
    expect((await allowed(`${parley.url}/graphql`, origin))[1]).not.toContain("PUT");
    expect((await allowed(uploadUrl, "https://evil.example"))[0]).not.toBe("https://evil.example");
    const response = await fetch(uploadUrl, {
      method: "PUT",
      headers: { origin },
      body: new Uint8Array(wav),
    });
    expect([response.status, response.headers.get("access-control-allow-origin")]).toEqual([200, origin]);
  });
});

it("An upload that one server has created and another one has received is asked with at the first", async () => {
  const parley = await TestParley.start("postgresql");
  const other = await parley.startAnother();
  const upload = await createdUpload(parley, wav.byteLength);
  expect((await put(upload.uploadUrl.replace(parley.url, other.url), wav)).status).toBe(200);
  await askByUpload(parley, await startedConversation(parley), upload.uploadId);
});
