import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, it } from "@jest/globals";
import { onEachDatabase } from "../helpers/databases.js";
import { endOfTurn } from "../helpers/exchanges.js";
import { askByText, startedConversation, turnById } from "../helpers/operations.js";
import { TestParley } from "../helpers/parley.js";
import { refuseRenewals } from "../helpers/refused-writes.js";
import { download } from "../helpers/sound.js";
import { openSql } from "../helpers/sql.js";
import type { Sql } from "../helpers/sql.js";
import { Heard, turnEvents } from "../helpers/turn-events.js";

/** A turn that is held after its first sound, and somebody who hears it to its end. */
async function heardTurn(parley: TestParley) {
  const conversationId = await startedConversation(parley);
  const pause = parley.standIn.pauseNext("after-first-audio");
  const { id } = await askByText(parley, conversationId, "Count to 5.", { waitMs: 0 });
  const request = await pause.reached;
  const heard = new Heard();
  const events = turnEvents("websocket", parley.url, id);
  while (heard.sound.byteLength === 0) heard.take((await events.next()).value ?? never());
  return { id, pause, request, heard, ended: heard.takeAll(events) };
}

const leaseIsOver = (id: string) =>
  `UPDATE "Turn" SET "leaseExpiresAt" = "createdAt" WHERE "id" = '${id}' RETURNING "id"`;

/** Who waits for the row of a turn, each by what it wants to write there. */
async function waiting(sql: Sql): Promise<{ renewal: boolean; claim: boolean }> {
  const found = await sql(
    `SELECT "query" FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
  );
  const queries = (found as { query: string }[]).map(({ query }) => query);
  const has = (pattern: RegExp) => queries.some((query) => pattern.test(query));
  return { renewal: has(/SET "leaseExpiresAt" =/), claim: has(/SET "leaseOwner" =/) };
}

async function waits(sql: Sql, who: "renewal" | "claim"): Promise<void> {
  while (!(await waiting(sql))[who]) await delay(10);
}

/** Resolves when the server has sent another statement like this. */
async function sent(parley: TestParley, pattern: RegExp): Promise<void> {
  parley.statements.length = 0;
  while (!parley.statements.some((statement) => pattern.test(statement))) await delay(10);
}

const endedByRecovery = (parley: TestParley) =>
  parley.log.filter((line) => line.includes("ended a turn whose server went away")).length;

describe("a server that renews its lease in the moment in which another one takes the turn over", () => {
  /** Both have sent their writes to the same row; Postgres lets them through in this order. */
  async function atTheSameMoment(first: "renewal" | "claim") {
    // It is renewed each ten seconds; the other one looks once, when it is told to.
    const parley = await TestParley.start("postgresql", { env: { LEASE_MS: "30000" } });
    const other = await parley.startAnother({ LEASE_MS: "600000" });
    const turn = await heardTurn(parley);
    const [holder, looker] = [await openSql(parley.databaseUrl), await openSql(parley.databaseUrl)];
    // Right after it has renewed its lease the owner does nothing for ten seconds.
    await sent(parley, /UPDATE .*"leaseExpiresAt"/);
    expect(await holder(leaseIsOver(turn.id))).toHaveLength(1);
    await holder("BEGIN");
    await holder(`SELECT 1 FROM "Turn" WHERE "id" = '${turn.id}' FOR UPDATE`);
    if (first === "renewal") await waits(looker, "renewal");
    const recovering = other.context.recovery.start();
    await waits(looker, "claim");
    await waits(looker, "renewal");
    await holder("COMMIT");
    await recovering;
    return { parley, ...turn };
  }

  it("goes on where it was first: the other one leaves the turn alone", async () => {
    const { parley, id, pause, heard, ended } = await atTheSameMoment("renewal");
    expect(await turnById(parley, id)).toMatchObject({ status: "RUNNING", attempt: 1 });
    pause.release();
    await ended;
    const turn = await turnById(parley, id);
    expect(turn).toMatchObject({ status: "COMPLETED", attempt: 1, usage: { estimated: false } });
    const sound = (await download(turn?.assistantMessage?.audio)).subarray(44);
    expect([heard.transcript, heard.sound.equals(sound)]).toEqual([turn?.assistantMessage?.transcript, true]);
    expect(endedByRecovery(parley)).toBe(0);
    expect(parley.standIn.requests).toHaveLength(1);
  });

  it("writes nothing more where the other one was first, which keeps all that was received", async () => {
    const { parley, id, request, pause, heard, ended } = await atTheSameMoment("claim");
    // The old owner has noticed and hung up.
    expect(await request.ended).toBe("disconnected");
    pause.release();
    await ended;
    const turn = await turnById(parley, id);
    expect(turn).toMatchObject({ status: "FAILED", error: { code: "INTERRUPTED" }, attempt: 1 });
    while (!parley.log.some((line) => line.includes("taken over while it ran"))) await delay(10);
    const clip = turn?.assistantMessage?.audio;
    const bytes = await download(clip);
    expect([heard.transcript, heard.sound.equals(bytes.subarray(44))]).toEqual([
      turn?.assistantMessage?.transcript,
      true,
    ]);
    expect([clip?.byteLength, bytes.readUInt32LE(40)]).toEqual([bytes.byteLength, bytes.byteLength - 44]);
    expect(endedByRecovery(parley)).toBe(1);
    expect(parley.standIn.requests).toHaveLength(1);
    // But for what its call really cost, nothing of the turn has changed since.
    expect({ ...(await turnById(parley, id)), usage: null }).toEqual({ ...turn, usage: null });
  });
});

onEachDatabase("a server that looks now and then whether a turn that it runs was cancelled", (kind) => {
  /** Its statement when it looks next, which it does each two seconds. */
  async function nextLook(parley: TestParley): Promise<string> {
    parley.statements.length = 0;
    // The one of the sweep for turns left behind is in an order.
    const isLook = (statement: string) => /cancelRequestedAt(?![^]*ORDER BY)/.test(statement);
    while (!parley.statements.some(isLook)) await delay(10);
    return parley.statements.find(isLook) ?? "";
  }

  it("renews its lease at once where that is overdue", async () => {
    // It is renewed each three seconds.
    const parley = await TestParley.start(kind, { env: { LEASE_MS: "9000" } });
    const { pause, ended } = await heardTurn(parley);
    const allowRenewals = await refuseRenewals(await openSql(parley.databaseUrl), parley.databaseUrl);
    while (!parley.log.some((line) => line.includes("could not renew"))) await delay(10);
    // Only what succeeds is told of.
    const look = nextLook(parley);
    await allowRenewals();
    expect(await look).toMatch(/^UPDATE /);
    pause.release();
    await ended;
  });

  it("writes nothing", async () => {
    const parley = await TestParley.start(kind, { env: { LEASE_MS: "600000" } });
    const { pause, ended } = await heardTurn(parley);
    expect(await nextLook(parley)).toMatch(/^SELECT /);
    pause.release();
    await ended;
  });
});

onEachDatabase("a server that could not renew its lease in time", (kind) => {
  it("does not take its own turn for one that was left, and goes on", async () => {
    const parley = await TestParley.start(kind, { env: { LEASE_MS: "1000" } });
    const { id, pause, heard, ended } = await heardTurn(parley);
    const allowRenewals = await refuseRenewals(await openSql(parley.databaseUrl), parley.databaseUrl);
    const { client } = parley.server.context.database;
    const over = { id, leaseExpiresAt: { lt: new Date(Date.now() + 1_000) } };
    while (Date.now() < over.leaseExpiresAt.lt.getTime()) await delay(10);
    expect(await client.turn.count({ where: over })).toBe(1);
    for (let sweep = 0; sweep < 2; sweep += 1) await sent(parley, /^SELECT .*leaseExpiresAt\W? < /s);
    pause.release();
    await ended;
    expect(await endOfTurn(parley, id)).toMatchObject({ status: "COMPLETED", attempt: 1 });
    expect(parley.log.join("")).toContain("could not renew the lease of a turn");
    expect(parley.log.join("")).not.toContain("could not recover a turn");
    expect(endedByRecovery(parley)).toBe(0);
    const clip = (await turnById(parley, id))?.assistantMessage?.audio;
    expect(heard.sound.equals((await download(clip)).subarray(44))).toBe(true);
    expect(parley.standIn.requests).toHaveLength(1);
    await allowRenewals();
  });
});

function never(): never {
  throw new Error("the events ended");
}
