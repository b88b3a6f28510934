import { readdir, readlink } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, it } from "@jest/globals";
import type { Env } from "../../src/config/env.js";
import {
  addTextTurn,
  cancelTurn,
  deleteConversation,
  readTurn,
  retryTurn,
  startConversation,
} from "../helpers/operations.js";
import type { Turn } from "../helpers/operations.js";
import { TestParley, sendOperation } from "../helpers/parley.js";
import type { GraphqlAnswer } from "../helpers/parley.js";
import { openSql } from "../helpers/sql.js";
import { subscribe, transports } from "../helpers/subscriptions.js";
import { Heard, turnEvents } from "../helpers/turn-events.js";

/** Servers on one Postgres database and one folder of audio; the first is the test's own. */
async function servers(count: number, env: Env = {}) {
  const parley = await TestParley.start("postgresql", { env });
  const urls = [parley.url];
  while (urls.length < count) urls.push((await parley.startAnother()).url);
  return { parley, urls: urls as [string, string, ...string[]] };
}

async function ask<Data>(url: string, query: string, variables: object): Promise<Data> {
  const { data, errors } = await sendOperation<Data>(url, query, variables);
  if (errors.length > 0) throw new Error(JSON.stringify(errors));
  return data;
}

async function startAt(url: string): Promise<string> {
  type Started = { startConversation: { conversation: { id: string } } };
  return (await ask<Started>(url, startConversation, {})).startConversation.conversation.id;
}

function addAt(url: string, conversationId: string, more: object = {}): Promise<GraphqlAnswer<AddedTurn>> {
  const input = { conversationId, text: "Count to 5.", ...more };
  return sendOperation<AddedTurn>(url, addTextTurn, { input });
}
type AddedTurn = { addTextTurn: { turn: Turn } } | null;

const turnAt = async (url: string, id: string) =>
  (await ask<{ turn: Turn | null }>(url, readTurn, { id })).turn;

/** A turn that the first server runs, held after its first sound. */
async function heldTurn(parley: TestParley, url: string) {
  const conversationId = await startAt(url);
  const pause = parley.standIn.pauseNext("after-first-audio");
  const { data } = await addAt(url, conversationId, { waitMs: 0 });
  if (data === null) throw new Error("the turn was not accepted");
  const request = await pause.reached;
  const { turn } = data.addTextTurn;
  for await (const event of turnEvents("websocket", url, turn.id))
    if (event.__typename === "AudioDelta") break;
  return { conversationId, pause, turn, request };
}

/** Words and samples as they are kept. */
async function kept(url: string, turnId: string) {
  const turn = await turnAt(url, turnId);
  const clip = turn?.assistantMessage?.audio;
  const bytes = Buffer.from(await (await fetch(clip?.url ?? "")).arrayBuffer());
  return { turn, clip, transcript: turn?.assistantMessage?.transcript, sound: bytes.subarray(44), bytes };
}

describe("servers that share a Postgres database and a folder of audio", () => {
  it.each(transports)(
    "tell the events of a turn that another one runs, while it is spoken (%s)",
    async (transport) => {
      const { parley, urls } = await servers(2);
      const { pause, turn } = await heldTurn(parley, urls[0]);
      const heard = new Heard();
      for await (const event of turnEvents(transport, urls[1], turn.id)) {
        heard.take(event);
        if (event.__typename === "AudioDelta") pause.release();
      }
      const { transcript, sound } = await kept(urls[1], turn.id);
      expect([heard.transcript, heard.sound.equals(sound)]).toEqual([transcript, true]);
    },
  );

  it("let a listener go from one to the next at any place", async () => {
    const { parley, urls } = await servers(3);
    const { pause, turn } = await heldTurn(parley, urls[0]);
    const heard = new Heard();
    for (let next = 0; !heard.ended; next += 1) {
      const transport = next % 2 === 0 ? "multipart" : "websocket";
      for await (const event of turnEvents(transport, urls[next % 3] ?? "", turn.id, heard.cursor)) {
        heard.take(event);
        if (heard.sound.byteLength > 0) pause.release();
        break;
      }
    }
    const { transcript, sound } = await kept(urls[2] ?? "", turn.id);
    expect([heard.transcript, heard.sound.equals(sound)]).toEqual([transcript, true]);
  });

  it("play a clip that grows in another one", async () => {
    const { parley, urls } = await servers(2);
    const { pause, turn } = await heldTurn(parley, urls[0]);
    const clip = (await turnAt(urls[1], turn.id))?.assistantMessage?.audio;
    expect(clip?.url.startsWith(urls[1])).toBe(true);
    const response = await fetch(clip?.url ?? "");
    pause.release();
    const heard = Buffer.from(await response.arrayBuffer());
    expect(heard.subarray(44).equals((await kept(urls[1], turn.id)).sound)).toBe(true);
  });

  it("cancel a turn that another one runs: its call is closed, and what was received is kept", async () => {
    const { parley, urls } = await servers(3);
    const { turn, request } = await heldTurn(parley, urls[0]);
    const { cancelTurn: cancelled } = await ask<{ cancelTurn: { turn: Turn } }>(urls[2] ?? "", cancelTurn, {
      input: { turnId: turn.id },
    });
    expect(cancelled.turn).toMatchObject({ id: turn.id, status: "CANCELLED" });
    expect(await request.ended).toBe("disconnected");
    expect((await kept(urls[1], turn.id)).sound.byteLength).toBeGreaterThan(0);
  });

  it("cancel a turn before its call has begun, and nothing is sent", async () => {
    const { parley, urls } = await servers(2);
    const conversationId = await startAt(urls[0]);
    const sql = await openSql(parley.databaseUrl);
    const { data } = await addAt(urls[0], conversationId);
    const id = data?.addTextTurn.turn.id ?? "";
    const before = parley.standIn.requests.length;
    await sql(
      `UPDATE "Turn" SET "status" = 'QUEUED', "attempt" = 2, "activeConversationId" = "conversationId", "endedAt" = NULL,
        "leaseOwner" = 'srv_dead', "leaseExpiresAt" = now() - interval '1 minute', "cancelRequestedAt" = now() WHERE "id" = '${id}'`,
    );
    await parley.startAnother();
    expect(await turnAt(urls[0], id)).toMatchObject({ status: "CANCELLED" });
    expect(parley.standIn.requests).toHaveLength(before);
  });

  it("delete what another one runs: its call is closed and nothing of it stays", async () => {
    const { parley, urls } = await servers(2);
    const { conversationId, turn, request } = await heldTurn(parley, urls[0]);
    await ask(urls[1], deleteConversation, { id: conversationId });
    expect(await request.ended).toBe("disconnected");
    expect(await turnAt(urls[0], turn.id)).toBeNull();
    const sql = await openSql(parley.databaseUrl);
    expect(await sql('SELECT 1 FROM "AudioClip" UNION ALL SELECT 1 FROM "AnswerLogEntry"')).toEqual([]);
    await answered(parley);
    expect(await readdir(join(parley.dataDir, "audio", "drafts"))).toEqual([]);
    expect(await openFilesUnder(parley.folder)).toEqual([]);
  });

  it("run one turn for a key that is used at all of them at once, and answer all with its end", async () => {
    const { parley, urls } = await servers(3);
    const conversationId = await startAt(urls[0]);
    const answers = await Promise.all(
      [...urls, ...urls].map((url) => addAt(url, conversationId, { idempotencyKey: "k" })),
    );
    const turns = answers.map(({ data }) => data?.addTextTurn.turn);
    expect(new Set(turns.map((turn) => turn?.id)).size).toBe(1);
    expect(turns.every((turn) => turn?.status === "COMPLETED")).toBe(true);
    expect(parley.standIn.requests).toHaveLength(1);
  });

  it("take one turn at a time for a conversation", async () => {
    const { parley, urls } = await servers(3);
    const conversationId = await startAt(urls[0]);
    const answers = await Promise.all(urls.map((url) => addAt(url, conversationId)));
    const codes = answers.flatMap(({ errors }) => errors.map(({ extensions }) => extensions.code));
    expect(codes).toEqual(["TURN_IN_PROGRESS", "TURN_IN_PROGRESS"]);
    expect(parley.standIn.requests).toHaveLength(1);
  });

  it("agree on the end of a turn that is cancelled at one while it is completed at another", async () => {
    const { parley, urls } = await servers(2);
    for (let round = 0; round < 5; round += 1) {
      const { pause, turn } = await heldTurn(parley, urls[0]);
      pause.release();
      await delay(5 * round);
      const answer = await ask<{ cancelTurn: { turn: Turn } }>(urls[1], cancelTurn, {
        input: { turnId: turn.id },
      });
      const heard = await new Heard().takeAll(turnEvents("multipart", urls[1], turn.id));
      const { turn: now, sound, clip, bytes } = await kept(urls[0], turn.id);
      expect(["COMPLETED", "CANCELLED"]).toContain(now?.status);
      expect(answer.cancelTurn.turn.status).toBe(now?.status);
      expect(heard.sound.equals(sound)).toBe(true);
      expect(clip?.byteLength).toBe(bytes.byteLength);
    }
  });

  it("tell of conversations that were changed at another one", async () => {
    const { urls } = await servers(2);
    const id = await startAt(urls[0]);
    const cursorQuery = "query ($id: ID!) { conversation(id: $id) { eventCursor } }";
    const { conversation } = await ask<{ conversation: { eventCursor: string } }>(urls[1], cursorQuery, {
      id,
    });
    const query =
      "subscription ($id: ID!, $after: String) { conversationEvents(conversationId: $id, after: $after) { __typename } }";
    const events = subscribe("websocket", urls[1], query, { id, after: conversation.eventCursor });
    const first = events.next();
    await addAt(urls[0], id);
    expect((await first).value).toEqual({
      data: { conversationEvents: { __typename: "ConversationTurnChanged" } },
    });
    await events.return();
  });

  it("go on telling each other when Postgres has cut every connection", async () => {
    const { parley, urls } = await servers(2);
    const { pause, turn } = await heldTurn(parley, urls[0]);
    const heard = new Heard();
    const listening = turnEvents("websocket", urls[1], turn.id);
    while (heard.sound.byteLength === 0) heard.take((await listening.next()).value ?? never());
    const sql = await openSql(parley.databaseUrl);
    await sql(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()",
    );
    pause.release();
    await heard.takeAll(listening);
    expect(heard.ended).toBe(true);
    expect(heard.sound.equals((await kept(urls[1], turn.id)).sound)).toBe(true);
  });
});

describe("a turn whose server went away", () => {
  /** The lease of a running turn runs out while its server still believes to hold it. */
  async function withLostLease() {
    const { parley, urls } = await servers(1, { LEASE_MS: "600000" });
    const held = await heldTurn(parley, urls[0]);
    const sql = await openSql(parley.databaseUrl);
    await sql(
      `UPDATE "Turn" SET "leaseExpiresAt" = now() - interval '1 minute' WHERE "id" = '${held.turn.id}'`,
    );
    return { parley, url: urls[0], ...held };
  }

  it("ends once, with what was received, whoever looks first; its old server writes nothing more", async () => {
    const { parley, url, turn, pause } = await withLostLease();
    await Promise.all([parley.startAnother(), parley.startAnother()]);
    const before = await kept(url, turn.id);
    expect(before.turn).toMatchObject({ status: "FAILED", error: { code: "INTERRUPTED" }, attempt: 1 });
    expect(before.sound.byteLength).toBeGreaterThan(0);
    expect(before.bytes.byteLength).toBe(before.clip?.byteLength);
    expect(before.bytes.readUInt32LE(40)).toBe(before.sound.byteLength);
    pause.release();
    await answered(parley);
    expect(await readdir(join(parley.dataDir, "audio", "drafts"))).toEqual([]);
    expect(await openFilesUnder(parley.folder)).toEqual([]);
    const after = await kept(url, turn.id);
    // But for what its call really cost, which the old server may know better.
    expect({ ...after.turn, usage: null }).toEqual({ ...before.turn, usage: null });
    expect(after.bytes.equals(before.bytes)).toBe(true);
    expect(parley.log.filter((line) => line.includes("ended a turn whose server went away"))).toHaveLength(1);
  });

  it("can be retried elsewhere while its old server still runs the attempt before", async () => {
    const { parley, url, turn, pause } = await withLostLease();
    const other = await parley.startAnother();
    const { retryTurn: retried } = await ask<{ retryTurn: { turn: Turn } }>(other.url, retryTurn, {
      input: { turnId: turn.id },
    });
    expect(retried.turn).toMatchObject({ id: turn.id, status: "COMPLETED", attempt: 2 });
    pause.release();
    await answered(parley);
    expect(await turnAt(url, turn.id)).toMatchObject({ status: "COMPLETED", attempt: 2 });
    const { bytes, clip } = await kept(url, turn.id);
    expect(bytes.byteLength).toBe(clip?.byteLength);
  });

  it("is run where its call had not begun", async () => {
    const { parley, urls } = await servers(1);
    const conversationId = await startAt(urls[0]);
    const { data } = await addAt(urls[0], conversationId);
    const id = data?.addTextTurn.turn.id ?? "";
    const sql = await openSql(parley.databaseUrl);
    // As it is between its acceptance and the moment before its call.
    await sql(
      `UPDATE "Turn" SET "status" = 'QUEUED', "activeConversationId" = "conversationId", "startedAt" = NULL, "endedAt" = NULL,
        "finishReason" = NULL, "leaseOwner" = 'srv_dead', "leaseExpiresAt" = now() - interval '1 minute' WHERE "id" = '${id}'`,
    );
    await sql(`DELETE FROM "Message" WHERE "turnId" = '${id}' AND "role" = 'ASSISTANT'`);
    await Promise.all([parley.startAnother(), parley.startAnother()]);
    const heard = await new Heard().takeAll(turnEvents("multipart", urls[0], id));
    expect(heard.ended).toBe(true);
    expect(await turnAt(urls[0], id)).toMatchObject({ status: "COMPLETED", attempt: 1 });
    expect(parley.standIn.requests).toHaveLength(2);
  });
});

/** Resolves when the model has done with all requests, and who asked has had time to notice. */
async function answered(parley: TestParley): Promise<void> {
  await Promise.all(parley.standIn.requests.map((request) => request.ended));
  while (!parley.log.some((line) => line.includes("taken over while it ran"))) await delay(10);
}

/** The files of a folder that this process holds open, removed ones among them; none where the system doesn't tell. */
async function openFilesUnder(folder: string): Promise<string[]> {
  const handles = await readdir("/proc/self/fd").catch(() => []);
  const paths = handles.map((handle) => readlink(join("/proc/self/fd", handle)).catch(() => ""));
  return (await Promise.all(paths)).filter((path) => path.startsWith(`${folder}/`));
}

function never(): never {
  throw new Error("the events ended");
}
