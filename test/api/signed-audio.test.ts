import { expect, it } from "@jest/globals";
import { newId } from "../../src/ids.js";
import { onEachDatabase } from "../helpers/databases.js";
import { askByText, startedConversation, turnById } from "../helpers/operations.js";
import { keyOf } from "../helpers/people.js";
import { sharedParley, TestParley } from "../helpers/parley.js";
import { signedQuery, signingKeys, tampered } from "../helpers/signing.js";
import { openSql } from "../helpers/sql.js";

const minuteMs = 60_000;

/** A turn with its answer's clip. */
async function answered(parley: TestParley) {
  const turn = await askByText(parley, await startedConversation(parley), "Say 'one'.");
  const clip = turn.assistantMessage?.audio;
  if (clip == null) throw new Error("the answer has no sound");
  return { turn, clip };
}

async function refusal(url: string, init: RequestInit = {}): Promise<unknown> {
  const response = await fetch(url, init);
  const body = await response.json().catch(() => null);
  return { status: response.status, code: codeOf(body), message: messageOf(body) };
}

const codeOf = (body: unknown) =>
  (body as { errors: { extensions: { code: string } }[] } | null)?.errors[0]?.extensions.code;
const messageOf = (body: unknown) => (body as { errors: { message: string }[] } | null)?.errors[0]?.message;

const forbidden = { status: 403, code: "FORBIDDEN", message: expect.stringContaining("anew") };

onEachDatabase("A signed audio URL", (kind) => {
  const shared = sharedParley(kind, { signedAudio: true });

  it("plays, in parts and as a download too, and says how long it may be kept", async () => {
    const { clip } = await answered(shared());
    const endsAt = Number(new URL(clip.url).searchParams.get("expires")) * 1000;
    const endsInMs = endsAt - Date.now();
    const whole = await fetch(clip.url);
    const stillMs = endsAt - Date.now();
    const bytes = Buffer.from(await whole.arrayBuffer());
    expect([whole.status, bytes.byteLength]).toEqual([200, clip.byteLength]);
    const [, maxAge] =
      /^private, max-age=(\d+), immutable$/.exec(whole.headers.get("cache-control") ?? "") ?? [];
    expect(Number(maxAge) * 1000).toBeGreaterThan(stillMs - 1_000);
    expect(Number(maxAge) * 1000).toBeLessThan(endsInMs + 1_000);

    const part = await fetch(clip.url, { headers: { range: "bytes=0-43" } });
    expect([part.status, Buffer.from(await part.arrayBuffer())]).toEqual([206, bytes.subarray(0, 44)]);
    const headed = await fetch(clip.url, { method: "HEAD" });
    expect([headed.status, headed.headers.get("content-length")]).toEqual([200, String(clip.byteLength)]);
    const download = await fetch(`${clip.url}&download=dogs.wav`);
    expect(download.headers.get("content-disposition")).toBe('attachment; filename="dogs.wav"');
    const first = await fetch(clip.url.replace("?", "?download=dogs.wav&"));
    expect(Buffer.from(await first.arrayBuffer()).equals(bytes)).toBe(true);
  });

  it("is good for at least AUDIO_URL_TTL_MS and at most twice that, and the same within a window", async () => {
    const parley = shared();
    const before = Date.now();
    const { turn, clip } = await answered(parley);
    const endsAt = Number(new URL(clip.url).searchParams.get("expires")) * 1000;
    expect(endsAt - before).toBeGreaterThanOrEqual(15 * minuteMs);
    expect(endsAt - Date.now()).toBeLessThanOrEqual(30 * minuteMs);
    const again = (await turnById(parley, turn.id))?.assistantMessage?.audio?.url;
    // At most one window ends between two readings.
    const third = (await turnById(parley, turn.id))?.assistantMessage?.audio?.url;
    expect([clip.url, third]).toContain(again);
  });

  it("is refused when it was changed in any part", async () => {
    const { clip } = await answered(shared());
    for (const [how, url] of tampered(clip.url)) expect([how, await refusal(url)]).toEqual([how, forbidden]);
    const { clip: another } = await answered(shared());
    expect(await refusal(clip.url.replace(clip.id, another.id))).toEqual(forbidden);
    expect((await fetch(clip.url)).status).toBe(200);
  });

  it("is refused where it was signed for something else than to hear a clip", async () => {
    const parley = shared();
    const { clip } = await answered(parley);
    const path = clip.url.replace(/\?.*/, "");
    const upload = await signedQuery(parley, { purpose: "upload", objectId: clip.id });
    expect(await refusal(`${path}?${upload}`)).toEqual(forbidden);
    const audio = await signedQuery(parley, { purpose: "audio", objectId: clip.id });
    expect((await fetch(`${path}?${audio}`)).status).toBe(200);
  });

  it("that has ended is refused, whether the clip is there or not", async () => {
    const parley = shared();
    const { clip } = await answered(parley);
    const expires = Math.floor(Date.now() / 1000) - 1;
    const ended = await signedQuery(parley, { purpose: "audio", objectId: clip.id, expires });
    const told = await refusal(clip.url.replace(/\?.*/, `?${ended}`));
    expect(told).toEqual(forbidden);
    const objectId = newId("clip");
    const absent = await signedQuery(parley, { purpose: "audio", objectId, expires });
    expect(await refusal(`${parley.url}/audio/${objectId}.wav?${absent}`)).toEqual(told);
    const unsigned = `${parley.url}/audio/${objectId}.wav?expires=1`;
    expect(await refusal(unsigned)).toEqual(told);
    expect((await fetch(unsigned, { method: "HEAD" })).status).toBe(403);
  });

  it("reads the clips of its viewer alone: another's are not there", async () => {
    const parley = shared();
    const { clip } = await answered(parley);
    const query = await signedQuery(parley, {
      purpose: "audio",
      objectId: clip.id,
      viewerId: "viewer_other",
    });
    expect(await refusal(clip.url.replace(/\?.*/, `?${query}`))).toMatchObject({
      status: 404,
      code: "NOT_FOUND",
    });
  });

  it("of an answer that is still being said plays to its end", async () => {
    const parley = shared();
    const pause = parley.standIn.pauseNext("after-first-audio");
    const conversationId = await startedConversation(parley);
    const { id } = await askByText(parley, conversationId, "Say 'one'.", { waitMs: 0 });
    await pause.reached;
    const growing = await growingClip(parley, id);
    const response = await fetch(growing);
    expect([response.status, response.headers.get("cache-control")]).toEqual([200, "no-store"]);
    expect(await refusal(growing.replace("signature=", "signature=x"))).toEqual(forbidden);
    pause.release();
    const bytes = await response.arrayBuffer();
    const kept = (await askUntilEnded(parley, id)).assistantMessage?.audio;
    expect(bytes.byteLength).toBe(kept?.byteLength);
  });
});

onEachDatabase("The URL of a clip, where people sign in,", (kind) => {
  it("is signed for who reads it, and without its signature takes a key that may read", async () => {
    const parley = await TestParley.start(kind, { env: { AUTH: "api-key" } });
    const [ada, bert] = [await keyOf(parley, "ada"), await keyOf(parley, "bert")];
    const writer = await keyOf(parley, "ada", { scopes: ["conversations:write"] });
    const asAda = {
      ask: async <Data>(query: string, variables: object = {}) =>
        (await parley.send<Data>(query, variables, ada.headers)).data,
    };
    const turn = await askByText(asAda, await startedConversation(asAda), "Say 'one'.");
    const url = turn.assistantMessage?.audio?.url ?? "";
    expect((await fetch(url)).status).toBe(200);
    const plain = url.replace(/\?.*/, "");
    expect(await refusal(plain)).toMatchObject({ status: 401, code: "UNAUTHENTICATED" });
    const heard = await fetch(plain, { headers: ada.headers });
    expect([heard.status, heard.headers.get("cache-control"), heard.headers.get("vary")]).toEqual([
      200,
      "private, no-cache",
      expect.stringContaining("Authorization"),
    ]);
    const etag = heard.headers.get("etag") ?? "";
    expect((await fetch(plain, { headers: { ...ada.headers, "if-none-match": etag } })).status).toBe(304);
    expect(await refusal(plain, { headers: bert.headers })).toMatchObject({ status: 404, code: "NOT_FOUND" });
    expect(await refusal(plain, { headers: writer.headers })).toMatchObject({
      status: 403,
      code: "FORBIDDEN",
    });
  });
});

/** The URL of an answer's clip, as soon as it is offered. */
async function growingClip(parley: TestParley, turnId: string): Promise<string> {
  for (;;) {
    const url = (await turnById(parley, turnId))?.assistantMessage?.audio?.url;
    if (url !== undefined) return url;
  }
}

async function askUntilEnded(parley: TestParley, turnId: string) {
  for (;;) {
    const turn = await turnById(parley, turnId);
    if (turn !== null && turn.endedAt !== null) return turn;
  }
}

onEachDatabase("The keys of signed URLs", (kind) => {
  it("stay the same when the server is started anew, so that a URL stays good", async () => {
    const parley = await TestParley.start(kind, { signedAudio: true });
    const { clip } = await answered(parley);
    const keys = await signingKeys(parley);
    const port = new URL(parley.url).port;
    await parley.restart({ PORT: port });
    expect((await fetch(clip.url)).status).toBe(200);
    expect(await signingKeys(parley)).toEqual(keys);
    expect(keys).toHaveLength(1);
  });

  it("are renewed after a month; the old one is good until its URLs have ended, then it goes", async () => {
    const parley = await TestParley.start(kind, { signedAudio: true });
    const { turn, clip } = await answered(parley);
    const { signingKeys: keys } = parley.server.context;
    await keys.renew();
    const [old] = await signingKeys(parley);
    await age(parley, 31);
    await keys.renew();
    const [newest, second, ...others] = await signingKeys(parley);
    expect([second?.id, others]).toEqual([old?.id, []]);
    const later = (await turnById(parley, turn.id))?.assistantMessage?.audio?.url ?? "";
    expect(new URL(later).searchParams.get("key")).toBe(newest?.id);
    expect([(await fetch(clip.url)).status, (await fetch(later)).status]).toEqual([200, 200]);

    const sql = await openSql(parley.databaseUrl);
    await sql(`UPDATE "SigningKey" SET "retiresAt" = '${before(1)}' WHERE "retiresAt" IS NOT NULL`);
    expect(await keys.renew()).toBe(1);
    expect(await signingKeys(parley)).toEqual([newest]);
    expect(await refusal(clip.url)).toEqual(forbidden);
    expect((await fetch(later)).status).toBe(200);
  });

  it("are replaced at once where an operator says so, and with the old URLs' end where one has leaked", async () => {
    const parley = await TestParley.start(kind, { signedAudio: true });
    const { turn, clip } = await answered(parley);
    const { signingKeys: keys } = parley.server.context;
    await keys.rotate();
    const second = (await turnById(parley, turn.id))?.assistantMessage?.audio?.url ?? "";
    expect(second).not.toBe(clip.url);
    expect([(await fetch(clip.url)).status, (await fetch(second)).status]).toEqual([200, 200]);
    await keys.rotate({ endOldUrls: true });
    const third = (await turnById(parley, turn.id))?.assistantMessage?.audio?.url ?? "";
    expect([await refusal(clip.url), await refusal(second)]).toEqual([forbidden, forbidden]);
    expect((await fetch(third)).status).toBe(200);
    expect(await signingKeys(parley)).toHaveLength(1);
  });
});

/** As if every key had been made so many days ago. */
async function age(parley: TestParley, days: number): Promise<void> {
  const sql = await openSql(parley.databaseUrl);
  await sql(`UPDATE "SigningKey" SET "createdAt" = '${before(days * 24 * 60 * minuteMs)}'`);
}

function before(ms: number): string {
  return new Date(Date.now() - ms).toISOString().replace("Z", "+00:00");
}

onEachDatabase("Many URLs that nobody has signed", (kind) => {
  it("count as reads of their address, as exports that nobody may have do", async () => {
    const env = { AUTH: "api-key", RATE_ADDRESS_READS_PER_MINUTE: "3" };
    const parley = await TestParley.start(kind, { env });
    const forged = `expires=1999999999&viewer=x&key=${newId("sk")}&signature=x`;
    const url = `${parley.url}/audio/${newId("clip")}.wav?${forged}`;
    for (let read = 0; read < 2; read += 1) expect((await fetch(url)).status).toBe(403);
    expect((await fetch(`${parley.url}/export`)).status).toBe(401);
    expect((await fetch(url)).status).toBe(429);
    expect((await fetch(`${parley.url}/export`)).status).toBe(429);
  });

  it("don't make the server read its keys each time, and keep nobody from playing a good one", async () => {
    const parley = await TestParley.start(kind, { signedAudio: true });
    const { clip } = await answered(parley);
    parley.statements.length = 0;
    for (let read = 0; read < 50; read += 1) {
      const url = clip.url.replace(/key=[^&]*/, `key=${newId("sk")}`);
      expect((await fetch(url)).status).toBe(403);
    }
    const readings = parley.statements.filter((text) => /SELECT.*"?SigningKey/.test(text));
    expect(readings.length).toBeLessThanOrEqual(30);
    expect((await fetch(clip.url)).status).toBe(200);
  });
});

it("A URL that one server has signed is good at another one, also where each made a key of its own", async () => {
  const parley = await TestParley.start("postgresql", { signedAudio: true });
  const other = await parley.startAnother();
  const { clip } = await answered(parley);
  const elsewhere = clip.url.replace(parley.url, other.url);
  expect((await fetch(elsewhere)).status).toBe(200);
  // As if both had started at the same moment: the other one does not know this key yet.
  await parley.server.context.signingKeys.rotate();
  const query = await signedQuery(parley, { purpose: "audio", objectId: clip.id });
  expect((await fetch(elsewhere.replace(/\?.*/, `?${query}`))).status).toBe(200);
  expect((await fetch(elsewhere)).status).toBe(200);
});
