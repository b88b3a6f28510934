import { createHash } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, it } from "@jest/globals";
import type { Env } from "../../src/config/env.js";
import type { StandIn } from "../../src/stand-in/stand-in.js";
import { freshDatabaseUrl, onEachDatabase } from "../helpers/databases.js";
import type { DatabaseKind } from "../helpers/databases.js";
import { askByText, retryTurn, startedConversation, turnById } from "../helpers/operations.js";
import type { Asked, Clip, Turn } from "../helpers/operations.js";
import {
  ParleyProcess,
  azureSettings,
  spawnParley,
  temporaryFolder,
  testStandIn,
} from "../helpers/parley-process.js";
import { openSql } from "../helpers/sql.js";
import { Heard, turnEvents } from "../helpers/turn-events.js";

async function settings(kind: DatabaseKind, folder: string, standIn: StandIn): Promise<Env> {
  return {
    ...azureSettings(standIn),
    DATABASE_URL: await freshDatabaseUrl(kind, folder),
    DATA_DIR: folder,
    LEASE_MS: "1000",
  };
}

async function retry(parley: Asked, turnId: string): Promise<Turn> {
  return (await parley.ask<{ retryTurn: { turn: Turn } }>(retryTurn, { input: { turnId } })).retryTurn.turn;
}

/** The turn as soon as it has ended. Fails with its last state where that takes longer than two minutes. */
async function ended(parley: Asked, turnId: string): Promise<Turn> {
  const deadline = Date.now() + 120_000;
  for (;;) {
    const turn = await turnById(parley, turnId);
    if (turn !== null && !["QUEUED", "RUNNING"].includes(turn.status)) return turn;
    if (Date.now() > deadline) throw new Error(`the turn has not ended: ${JSON.stringify(turn)}`);
    await delay(50);
  }
}

async function sha256Of(clip: Clip | null | undefined, parley: { url: string }): Promise<string> {
  const url = new URL(new URL(clip?.url ?? "").pathname, parley.url);
  const bytes = new Uint8Array(await (await fetch(url)).arrayBuffer());
  return createHash("sha256").update(bytes).digest("hex");
}

const interrupted = { status: "FAILED", error: { code: "INTERRUPTED", retryable: true } };

/** The conversation as a client sees it, without what depends on the server's address. */
async function readConversation(parley: Asked, id: string): Promise<unknown> {
  const query = /* GraphQL */ `
    query ($id: ID!) {
      conversation(id: $id) {
        id
        title
        instructions
        turns {
          nodes {
            id
            position
            status
            attempt
            userMessage {
              id
              content
            }
            assistantMessage {
              id
              content
              audio {
                id
                sha256
                byteLength
                durationMs
                providerAudioId
              }
            }
            usage {
              inputTextTokens
              outputAudioTokens
            }
          }
        }
      }
    }
  `;
  return (await parley.ask<{ conversation: unknown }>(query, { id })).conversation;
}

describe("a SQLite server that was killed in the middle of a turn", () => {
  it("has everything that it had answered when it starts again, and has ended the turn, which can be retried", async () => {
    const [folder, standIn] = [await temporaryFolder(), await testStandIn()];
    const env = await settings("sqlite", folder, standIn);
    const first = await ParleyProcess.start(folder, env);
    const conversationId = await startedConversation(first, { title: "Kept", instructions: "Be brief." });
    const done = await askByText(first, conversationId, "Say 'one two'.");
    const before = await readConversation(first, conversationId);
    const pause = standIn.pauseNext("after-first-audio");
    const running = await askByText(first, conversationId, "Say 'three four'.", {
      waitMs: 0,
      idempotencyKey: "k",
    });
    const request = await pause.reached;
    const heard = new Heard();
    for await (const event of turnEvents("multipart", first.url, running.id)) {
      heard.take(event);
      if (event.__typename === "AudioDelta") break;
    }
    await first.program.kill();
    expect(await request.ended).toBe("disconnected");

    const second = await ParleyProcess.start(folder, env);
    const left = await turnById(second, running.id);
    expect(left).toMatchObject({ ...interrupted, attempt: 1 });
    // What was received is kept, can be played, and is what a listener had heard; who comes back hears the end.
    await heard.takeAll(turnEvents("websocket", second.url, running.id, heard.cursor));
    expect(heard.types.at(-1)).toBe("TurnEnded");
    expect(left?.assistantMessage?.transcript).toBe(heard.transcript);
    const clip = left?.assistantMessage?.audio;
    expect(await sha256Of(clip, second)).toBe(clip?.sha256);
    expect(clip?.byteLength).toBe(44 + heard.sound.byteLength);
    expect(clip?.durationMs).toBe(Math.round(heard.sound.byteLength / 48));
    expect(second.program.stderr).toContain("ended a turn whose server went away");
    expect(await sha256Of(done.assistantMessage?.audio, second)).toBe(done.assistantMessage?.audio?.sha256);
    // The key that was used before still means the same turn.
    const replayed = await askByText(second, conversationId, "Say 'three four'.", {
      waitMs: 0,
      idempotencyKey: "k",
    });
    expect([replayed.id, replayed.attempt]).toEqual([running.id, 1]);

    const retried = await retry(second, running.id);
    expect(retried).toMatchObject({ id: running.id, status: "COMPLETED", attempt: 2, position: 2 });
    const next = await askByText(second, conversationId, "What did I ask first?");
    expect(next).toMatchObject({ status: "COMPLETED", position: 3 });
    expect(next.assistantMessage?.content).toContain("one two");
    const after = (await readConversation(second, conversationId)) as { turns: { nodes: unknown[] } };
    expect({ ...after, turns: { nodes: after.turns.nodes.slice(0, 1) } }).toEqual(before);
  });
});

describe("a SQLite server that is started a second time by mistake", () => {
  it("refuses the database that is in use, on whatever port, and the first one goes on with its turn", async () => {
    const [folder, standIn] = [await temporaryFolder(), await testStandIn()];
    const env = await settings("sqlite", folder, standIn);
    const parley = await ParleyProcess.start(folder, env);
    const conversationId = await startedConversation(parley);
    const pause = standIn.pauseNext("after-first-audio");
    const turn = await askByText(parley, conversationId, "Say 'one two'.", { waitMs: 0 });
    await pause.reached;
    for (const port of ["0", new URL(parley.url).port]) {
      const { code, stderr } = await spawnParley(folder, { ...env, PORT: port }).ended;
      expect([code, stderr]).toEqual([1, expect.stringContaining("Another Parley server uses the database")]);
    }
    pause.release();
    expect(await ended(parley, turn.id)).toMatchObject({ status: "COMPLETED", attempt: 1 });
  });
});

describe("servers that share a Postgres database", () => {
  it("leave a turn alone while its server lives, and end it once a killed server's lease has run out", async () => {
    const [folder, standIn] = [await temporaryFolder(), await testStandIn()];
    const env = await settings("postgresql", folder, standIn);
    // The living one never misses a renewal, and does not look for turns of others before the late one does.
    const [doomed, living] = await Promise.all([
      ParleyProcess.start(folder, { ...env, LEASE_MS: "5000" }),
      ParleyProcess.start(folder, { ...env, LEASE_MS: "600000" }),
    ]);
    const [theirs, ours] = [await startedConversation(doomed), await startedConversation(living)];
    const pauses = [standIn.pauseNext("after-first-audio"), standIn.pauseNext("after-first-audio")] as const;
    const kept = await askByText(living, ours, "Say 'five six'.", { waitMs: 0 });
    await pauses[0].reached;
    const lost = await askByText(doomed, theirs, "Say 'one two'.", { waitMs: 0 });
    await pauses[1].reached;
    await doomed.program.kill();
    const sql = await openSql(env["DATABASE_URL"] ?? "");
    const lease = await sql(
      `SELECT extract(epoch FROM "leaseExpiresAt") * 1000 AS "endsAt" FROM "Turn" WHERE "id" = '${lost.id}'`,
    );
    // One that starts now finds both turns running, and neither's lease has run out.
    const late = await ParleyProcess.start(folder, env);
    const over = await ended(late, lost.id);
    expect(over).toMatchObject(interrupted);
    const leaseEndsAt = Number((lease as { endsAt: string }[])[0]?.endsAt);
    expect(Date.parse(over.endedAt ?? "")).toBeGreaterThan(leaseEndsAt);

    expect(await turnById(late, kept.id)).toMatchObject({ status: "RUNNING", attempt: 1 });
    pauses[0].release();
    expect(await ended(late, kept.id)).toMatchObject({ status: "COMPLETED", attempt: 1 });
    expect(await retry(late, lost.id)).toMatchObject({ status: "COMPLETED", attempt: 2 });
    expect(await askByText(living, theirs, "Say 'seven'.")).toMatchObject({
      status: "COMPLETED",
      position: 2,
    });
  });
});

describe("a server whose Postgres cuts its connections", () => {
  it("goes on with new ones, and with the turn that it runs", async () => {
    const [folder, standIn] = [await temporaryFolder(), await testStandIn()];
    const env = await settings("postgresql", folder, standIn);
    const parley = await ParleyProcess.start(folder, env);
    const conversationId = await startedConversation(parley);
    const pause = standIn.pauseNext("after-first-audio");
    const turn = await askByText(parley, conversationId, "Say 'one two'.", { waitMs: 0 });
    await pause.reached;
    const sql = await openSql(env["DATABASE_URL"] ?? "");
    // Each row comes when its connection is gone.
    const cut = await sql(
      "SELECT pg_terminate_backend(pid, 30000) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()",
    );
    expect(cut.length).toBeGreaterThan(0);
    pause.release();
    expect(await ended(parley, turn.id)).toMatchObject({ status: "COMPLETED", attempt: 1 });
    expect(await askByText(parley, conversationId, "Say 'three'.")).toMatchObject({ status: "COMPLETED" });
  });
});

onEachDatabase("a conversation", (kind) => {
  it("goes on after its server was stopped and started again, with the same words and sounds", async () => {
    const [folder, standIn] = [await temporaryFolder(), await testStandIn()];
    const env = await settings(kind, folder, standIn);
    const first = await ParleyProcess.start(folder, env);
    const conversationId = await startedConversation(first, { title: "Dogs" });
    const turn = await askByText(first, conversationId, "My name is Ada.");
    const before = await readConversation(first, conversationId);
    const clip = turn.assistantMessage?.audio;
    expect(await sha256Of(clip, first)).toBe(clip?.sha256);
    expect(await first.stop()).toMatchObject({ code: 0 });

    const second = await ParleyProcess.start(folder, env);
    expect(await readConversation(second, conversationId)).toEqual(before);
    expect(await sha256Of(clip, second)).toBe(clip?.sha256);
    const next = await askByText(second, conversationId, "What is my name?");
    expect(next.assistantMessage?.content).toContain("Ada");
    // The model is reminded of its answer by the id of its sound.
    expect(JSON.stringify(standIn.requests.at(-1)?.body)).toContain(clip?.providerAudioId ?? "absent");
  });
});
