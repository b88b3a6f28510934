import { setTimeout as delay } from "node:timers/promises";
import { expect, it } from "@jest/globals";
import type { Env } from "../../src/config/env.js";
import type { Pause } from "../../src/stand-in/pauses.js";
import { onEachDatabase } from "../helpers/databases.js";
import type { DatabaseKind } from "../helpers/databases.js";
import { endOfTurn } from "../helpers/exchanges.js";
import {
  addTextTurn,
  askByText,
  cancelTurn,
  deleteConversation,
  retryTurn,
  startedConversation,
  turnById,
} from "../helpers/operations.js";
import type { Turn } from "../helpers/operations.js";
import { TestParley, sendOperation } from "../helpers/parley.js";
import { openSql } from "../helpers/sql.js";

/** A server with one place, taken by a turn that is held, and a turn that waits for it. */
async function oneRunsOneWaits(kind: DatabaseKind, env: Env = {}) {
  const parley = await TestParley.start(kind, { env: { MAX_RUNNING_TURNS: "1", ...env } });
  const pause = parley.standIn.pauseNext("after-first-audio");
  const running = await added(parley, "Count to 3.");
  await pause.reached;
  const conversationId = await startedConversation(parley);
  const waiting = await askByText(parley, conversationId, "Count to 2.", { waitMs: 0 });
  return { parley, pause, running, waiting, conversationId };
}

async function added(parley: TestParley, text: string): Promise<Turn> {
  return askByText(parley, await startedConversation(parley), text, { waitMs: 0 });
}

const statusOf = async (parley: TestParley, { id }: Turn) => (await turnById(parley, id))?.status;

async function leaseOf(parley: TestParley, { id }: Turn) {
  const sql = await openSql(parley.databaseUrl);
  const [row] = await sql(`SELECT "leaseOwner", "leaseExpiresAt" FROM "Turn" WHERE "id" = '${id}'`);
  return row as { leaseOwner: string | null; leaseExpiresAt: unknown };
}

onEachDatabase("a turn that no place is free for", (kind) => {
  it("stays QUEUED, nothing of it sent, and runs when one that ran has ended", async () => {
    const { parley, pause, running, waiting } = await oneRunsOneWaits(kind);
    expect(waiting).toMatchObject({ status: "QUEUED", startedAt: null });
    expect(await statusOf(parley, waiting)).toBe("QUEUED");
    expect(parley.standIn.requests).toHaveLength(1);
    pause.release();
    expect(await endOfTurn(parley, running.id)).toMatchObject({ status: "COMPLETED" });
    expect(await endOfTurn(parley, waiting.id)).toMatchObject({ status: "COMPLETED", attempt: 1 });
    expect(parley.standIn.requests).toHaveLength(2);
  });

  it("is kept by its server: its lease is renewed while it waits", async () => {
    const { parley, pause, waiting } = await oneRunsOneWaits(kind, { LEASE_MS: "1000" });
    const first = await leaseOf(parley, waiting);
    for (let now = first; String(now.leaseExpiresAt) === String(first.leaseExpiresAt);) {
      await delay(10);
      now = await leaseOf(parley, waiting);
      expect(now.leaseOwner).toBe(first.leaseOwner);
    }
    pause.release();
    expect(await endOfTurn(parley, waiting.id)).toMatchObject({ status: "COMPLETED", attempt: 1 });
  });

  it("can be cancelled: it costs nothing, can be retried, and leaves the place to others", async () => {
    const { parley, pause, running, waiting } = await oneRunsOneWaits(kind);
    const { cancelTurn: cancelled } = await parley.ask<{ cancelTurn: { turn: Turn } }>(cancelTurn, {
      input: { turnId: waiting.id },
    });
    expect(cancelled.turn).toMatchObject({ status: "CANCELLED", usage: null, assistantMessage: null });
    await parley.ask(retryTurn, { input: { turnId: waiting.id, waitMs: 0 } });
    expect(await statusOf(parley, waiting)).toBe("QUEUED");
    pause.release();
    expect(await endOfTurn(parley, running.id)).toMatchObject({ status: "COMPLETED" });
    expect(await endOfTurn(parley, waiting.id)).toMatchObject({ status: "COMPLETED", attempt: 2 });
    expect(parley.standIn.requests).toHaveLength(2);
  });

  it("goes with its conversation", async () => {
    const { parley, pause, running, waiting, conversationId } = await oneRunsOneWaits(kind);
    await parley.ask(deleteConversation, { id: conversationId });
    expect(await turnById(parley, waiting.id)).toBeNull();
    pause.release();
    expect(await endOfTurn(parley, running.id)).toMatchObject({ status: "COMPLETED" });
    expect(parley.standIn.requests).toHaveLength(1);
    expect((await endOfTurn(parley, (await added(parley, "Hello.")).id)).status).toBe("COMPLETED");
  });

  it("is given back when its server shuts down, and run at the next start", async () => {
    const { parley, running, waiting } = await oneRunsOneWaits(kind);
    await parley.restart({ LEASE_MS: "1000" });
    expect(parley.log.join("")).toContain("gave back a turn that was waiting");
    expect(await endOfTurn(parley, waiting.id)).toMatchObject({ status: "COMPLETED", attempt: 1 });
    const end = { status: "FAILED", error: { code: "INTERRUPTED" } };
    expect(await turnById(parley, running.id)).toMatchObject(end);
  });

  it("is answered as it is, QUEUED, to who waits for its end when its server shuts down", async () => {
    const { parley } = await oneRunsOneWaits(kind);
    const input = { conversationId: await startedConversation(parley), text: "Hello.", waitMs: 120_000 };
    const answer = parley.send<{ addTextTurn: { turn: Turn } }>(addTextTurn, { input });
    const { client } = parley.server.context.database;
    while ((await client.turn.count({ where: { status: "QUEUED" } })) < 2) await delay(10);
    await parley.server.close();
    expect((await answer).data.addTextTurn.turn).toMatchObject({ status: "QUEUED", error: null });
  });
});

onEachDatabase("the places of a server", (kind) => {
  it("are not all one viewer's", async () => {
    const env = { MAX_RUNNING_TURNS: "3", MAX_RUNNING_TURNS_PER_VIEWER: "2" };
    const parley = await TestParley.start(kind, { env });
    const pauses: Pause[] = [1, 2, 3].map(() => parley.standIn.pauseNext("after-first-audio"));
    const turns = [await added(parley, "One."), await added(parley, "Two."), await added(parley, "Three.")];
    await Promise.all([pauses[0]?.reached, pauses[1]?.reached]);
    expect(await Promise.all(turns.map((turn) => statusOf(parley, turn)))).toEqual([
      "RUNNING",
      "RUNNING",
      "QUEUED",
    ]);
    pauses[1]?.release();
    await pauses[2]?.reached;
    pauses[0]?.release();
    pauses[2]?.release();
    for (const { id } of turns) expect((await endOfTurn(parley, id)).status).toBe("COMPLETED");
  });
});

onEachDatabase("the turns of a viewer that wait or run", (kind) => {
  it("are bounded: one more is refused, stores nothing, and is welcome when one has ended", async () => {
    const { parley, pause, waiting } = await oneRunsOneWaits(kind, { MAX_ACTIVE_TURNS_PER_VIEWER: "2" });
    const input = { conversationId: await startedConversation(parley), text: "Hello.", idempotencyKey: "k" };
    const refused = await parley.send<null>(addTextTurn, { input });
    expect(refused).toMatchObject({
      data: null,
      errors: [{ extensions: { code: "RATE_LIMITED", retryable: true, retryAfterMs: 5_000 } }],
    });
    expect(refused.errors[0]?.message).toContain("At most 2 turns");
    expect(await parley.server.context.database.client.turn.count()).toBe(2);
    pause.release();
    await endOfTurn(parley, waiting.id);
    const { addTextTurn: payload } = await parley.ask<{ addTextTurn: { turn: Turn } }>(addTextTurn, {
      input,
    });
    expect(payload.turn.status).toBe("COMPLETED");
  });

  it("are bounded where many are added at the same moment", async () => {
    const parley = await TestParley.start(kind, { env: { MAX_ACTIVE_TURNS_PER_VIEWER: "3" } });
    const pauses = Array.from({ length: 8 }, () => parley.standIn.pauseNext("after-first-audio"));
    const urls = [parley.url];
    if (kind === "postgresql") urls.push((await parley.startAnother()).url);
    const conversations = await Promise.all(Array.from({ length: 8 }, () => startedConversation(parley)));
    const answers = await Promise.all(
      conversations.map((conversationId, index) => {
        const input = { conversationId, text: "Hello.", waitMs: 0 };
        return sendOperation<null>(urls[index % urls.length] ?? parley.url, addTextTurn, { input });
      }),
    );
    const codes = answers.map(({ errors }) => errors[0]?.extensions.code ?? "accepted").sort();
    expect(codes).toEqual([...Array<string>(5).fill("RATE_LIMITED"), ...Array<string>(3).fill("accepted")]);
    for (const pause of pauses) pause.release();
  });

  it("may be as many as are allowed where a key tells of one of them", async () => {
    const parley = await TestParley.start(kind, { env: { MAX_ACTIVE_TURNS_PER_VIEWER: "1" } });
    const pause = parley.standIn.pauseNext("after-first-audio");
    const input = {
      conversationId: await startedConversation(parley),
      text: "Hello.",
      idempotencyKey: "k",
      waitMs: 0,
    };
    type Added = { addTextTurn: { turn: Turn } };
    const first = await parley.ask<Added>(addTextTurn, { input });
    const again = await parley.ask<Added>(addTextTurn, { input });
    expect(again.addTextTurn.turn.id).toBe(first.addTextTurn.turn.id);
    pause.release();
  });
});
