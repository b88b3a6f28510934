import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, it } from "@jest/globals";
import { ApiKeys } from "../../src/auth/api-keys.js";
import { scopes } from "../../src/auth/viewer.js";
import {
  budgetOf,
  budgetSettings,
  codesOf,
  expectTrueBooks,
  oneTurn,
  parleyWithBudget,
  question,
  readBudget,
  today,
  tryByText,
} from "../helpers/budgets.js";
import { onEachDatabase } from "../helpers/databases.js";
import { answerHasGrownTo, endOfTurn, sentRequests } from "../helpers/exchanges.js";
import {
  askByAudio,
  askByText,
  cancelTurn,
  deleteConversation,
  retryTurn,
  startedConversation,
  turnById,
} from "../helpers/operations.js";
import type { Turn } from "../helpers/operations.js";
import { TestParley } from "../helpers/parley.js";
import { spokenWav } from "../helpers/sound.js";
import { openSql } from "../helpers/sql.js";

const plenty = 50_000_000;

function nextDay(now = new Date()): string {
  return new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), now.getUTCDate() + 1)).toISOString();
}

function nextMonth(now = new Date()): string {
  return new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1, 1)).toISOString();
}

function conversations(parley: TestParley, count: number): Promise<string[]> {
  return Promise.all(Array.from({ length: count }, () => startedConversation(parley)));
}

async function retry(parley: TestParley, turnId: string) {
  return parley.send<{ retryTurn: { turn: Turn } } | null>(retryTurn, { input: { turnId } });
}

/** A turn that waits in the middle of its answer. */
async function heldTurn(parley: TestParley) {
  const conversationId = await startedConversation(parley);
  const pause = parley.standIn.pauseNext("after-first-audio");
  const { id } = await askByText(parley, conversationId, question, { waitMs: 0 });
  await pause.reached;
  return { conversationId, id, pause };
}

onEachDatabase("a budget", (kind) => {
  it("tells before it hurts: what may be spent, what was spent, what is held and what remains", async () => {
    const parley = await parleyWithBudget(kind, { VIEWER_DAY: plenty, TENANT_MONTH: 2 * plenty });
    const { id, pause } = await heldTurn(parley);
    const held = await budgetOf(parley);
    expect(held.viewerDay).toEqual({
      limitMicroUsd: plenty,
      spentMicroUsd: 0,
      reservedMicroUsd: oneTurn,
      remainingMicroUsd: plenty - oneTurn,
      resetsAt: nextDay(),
    });
    expect(held).toMatchObject({ viewerMonth: null, tenantDay: null });
    pause.release();
    const cost = (await endOfTurn(parley, id)).usage?.costMicroUsd ?? 0;
    expect(cost).toBeGreaterThan(0);
    expect(cost).toBeLessThan(oneTurn);
    expect(await budgetOf(parley)).toEqual({
      viewerDay: {
        limitMicroUsd: plenty,
        spentMicroUsd: cost,
        reservedMicroUsd: 0,
        remainingMicroUsd: plenty - cost,
        resetsAt: nextDay(),
      },
      viewerMonth: null,
      tenantDay: null,
      tenantMonth: {
        limitMicroUsd: 2 * plenty,
        remainingMicroUsd: 2 * plenty - cost,
        resetsAt: nextMonth(),
      },
    });
    expect(await expectTrueBooks(parley)).toBe(cost);
  });

  it.each([2, 10])("of one turn lets exactly one run of %i that are sent at once", async (count) => {
    const parley = await parleyWithBudget(kind, { VIEWER_DAY: oneTurn });
    const ids = await conversations(parley, count);
    const answers = await Promise.all(ids.map((id) => tryByText(parley, id)));
    expect(codesOf(answers)).toEqual(Array<string>(count - 1).fill("BUDGET_EXCEEDED"));
    expect(answers.filter(({ data }) => data?.addTextTurn.turn.status === "COMPLETED")).toHaveLength(1);
    expect(parley.standIn.requests).toHaveLength(1);
    await expectTrueBooks(parley);
  });

  it("says when to come back: soon where running turns hold the rest, at the next day where it is spent", async () => {
    const parley = await parleyWithBudget(kind, { VIEWER_DAY: oneTurn });
    const { id, pause } = await heldTurn(parley);
    const conversationId = await startedConversation(parley);
    const whileItRuns = await tryByText(parley, conversationId);
    expect(whileItRuns.errors).toMatchObject([
      {
        message:
          "What is left of your budget for today is held for turns that are running. " +
          "What they don't use is free again when they have ended.",
        extensions: { code: "BUDGET_EXCEEDED", retryable: true, retryAfterMs: 5_000 },
      },
    ]);
    pause.release();
    await endOfTurn(parley, id);
    const { errors } = await tryByText(parley, conversationId);
    expect(errors).toMatchObject([{ extensions: { code: "BUDGET_EXCEEDED", retryable: true } }]);
    expect(errors[0]?.message).toBe(
      `What is left of your budget for today is less than this turn could cost. It begins anew at ${nextDay()}.`,
    );
    const retryAfterMs = errors[0]?.extensions.retryAfterMs ?? 0;
    const untilReset = Date.parse(nextDay()) - Date.now();
    expect(Math.abs(retryAfterMs - untilReset)).toBeLessThan(10_000);
  });

  it("keeps nothing of a turn that it refuses: no turn, no sound, no key", async () => {
    const parley = await parleyWithBudget(kind, { VIEWER_DAY: oneTurn });
    const { pause, id } = await heldTurn(parley);
    const conversationId = await startedConversation(parley);
    const refused = await tryByText(parley, conversationId, { idempotencyKey: "k" });
    expect(codesOf([refused])).toEqual(["BUDGET_EXCEEDED"]);
    await expect(askByAudio(parley, conversationId, spokenWav(1_000))).rejects.toThrow("BUDGET_EXCEEDED");
    const { client } = parley.server.context.database;
    expect(await client.turn.count({ where: { conversationId } })).toBe(0);
    expect(await client.idempotencyKey.count()).toBe(0);
    expect(await client.audioClip.count({ where: { conversationId } })).toBe(0);
    pause.release();
    await endOfTurn(parley, id);
  });

  it("refuses no request that is sent again with its key, and holds nothing for it", async () => {
    const parley = await parleyWithBudget(kind, { VIEWER_DAY: oneTurn });
    const conversationId = await startedConversation(parley);
    const first = await tryByText(parley, conversationId, { idempotencyKey: "k" });
    const again = await tryByText(parley, conversationId, { idempotencyKey: "k" });
    expect(again.data?.addTextTurn.turn.id).toBe(first.data?.addTextTurn.turn.id);
    expect(codesOf([await tryByText(parley, conversationId)])).toEqual(["BUDGET_EXCEEDED"]);
    await expectTrueBooks(parley);
  });

  it("says at once that a turn is dearer than all of it, and takes a shorter one", async () => {
    const parley = await parleyWithBudget(kind, { VIEWER_DAY: oneTurn - 1 });
    const conversationId = await startedConversation(parley);
    const { errors } = await tryByText(parley, conversationId);
    expect(errors).toMatchObject([{ extensions: { code: "BUDGET_EXCEEDED", retryable: false } }]);
    expect(errors[0]?.message).toMatch(/^This turn could cost more than all of your budget for today\./);
    expect(errors[0]?.extensions).not.toHaveProperty("retryAfterMs");
    const shorter = await askByText(parley, conversationId, question, { reply: { maxTokens: 4_000 } });
    expect(shorter.status).toBe("COMPLETED");
  });

  it("bounds every answer, so that what is held is never too little", async () => {
    const parley = await parleyWithBudget(kind, { VIEWER_DAY: plenty }, { MAX_REPLY_TOKENS: "30" });
    const conversationId = await startedConversation(parley);
    for (const reply of [{}, { maxTokens: 20 }, { maxTokens: 9_000 }]) {
      const turn = await askByText(parley, conversationId, "Count to 50.", { reply });
      expect(turn).toMatchObject({ status: "COMPLETED", finishReason: "LENGTH" });
    }
    const bounds = sentRequests(parley.standIn).map((request) => request.max_completion_tokens);
    expect(bounds).toEqual([30, 20, 30]);
    const { capabilities } = await parley.ask<{ capabilities: object }>(
      "{ capabilities { maxReplyTokens } }",
    );
    expect(capabilities).toEqual({ maxReplyTokens: 30 });
  });

  it("holds at least what a turn then costs, by text and by sound, in short and in long conversations", async () => {
    const parley = await parleyWithBudget(kind, { VIEWER_DAY: plenty });
    const conversationId = await startedConversation(parley, { instructions: "Be ⚡ quick. ".repeat(50) });
    const asks = [
      () => askByText(parley, conversationId, "Sag ‘äöü 🎉’", { waitMs: 0 }),
      () => askByAudio(parley, conversationId, spokenWav(3_000), { waitMs: 0, text: "What?" }),
      () =>
        askByAudio(parley, conversationId, spokenWav(2_000), { waitMs: 0, reply: { modalities: ["TEXT"] } }),
      () => askByText(parley, conversationId, question, { waitMs: 0 }),
    ];
    for (const ask of asks) {
      const pause = parley.standIn.pauseNext("before-answer");
      const { id } = await ask();
      await pause.reached;
      const { reservedMicroUsd } = await today(parley);
      pause.release();
      const { usage } = await endOfTurn(parley, id);
      expect(usage?.costMicroUsd).toBeGreaterThan(0);
      expect(reservedMicroUsd).toBeGreaterThanOrEqual(usage?.costMicroUsd ?? Infinity);
    }
    await expectTrueBooks(parley);
  });

  it("has room for a retry or refuses it, and counts every attempt", async () => {
    const parley = await parleyWithBudget(kind, { VIEWER_DAY: plenty });
    const conversationId = await startedConversation(parley);
    parley.standIn.failNext({ name: "cut", at: "middle" });
    const failed = await askByText(parley, conversationId, question);
    expect(failed.status).toBe("FAILED");
    const first = (await today(parley)).spentMicroUsd;
    expect(first).toBeGreaterThan(0);

    const env = await budgetSettings({ VIEWER_DAY: oneTurn });
    await parley.restart(env);
    const refused = await retry(parley, failed.id);
    expect(refused.errors).toMatchObject([{ extensions: { code: "BUDGET_EXCEEDED", retryable: true } }]);
    expect(await turnById(parley, failed.id)).toMatchObject({ status: "FAILED", attempt: 1 });

    await parley.restart();
    const { data } = await retry(parley, failed.id);
    expect(data?.retryTurn.turn).toMatchObject({ status: "COMPLETED", attempt: 2 });
    expect((await today(parley)).spentMicroUsd).toBe(data?.retryTurn.turn.usage?.costMicroUsd);
    await expectTrueBooks(parley);
  });

  it("holds nothing more for a turn that was cancelled, and counts what it has cost", async () => {
    const parley = await parleyWithBudget(kind, { VIEWER_DAY: plenty });
    const { id } = await heldTurn(parley);
    await parley.ask(cancelTurn, { input: { turnId: id } });
    const cancelled = await endOfTurn(parley, id);
    expect(cancelled.status).toBe("CANCELLED");
    expect(await today(parley)).toMatchObject({
      spentMicroUsd: cancelled.usage?.costMicroUsd,
      reservedMicroUsd: 0,
    });
    expect(await expectTrueBooks(parley)).toBeGreaterThan(0);
  });

  it("holds nothing more for a turn that the provider has refused or filtered", async () => {
    const parley = await parleyWithBudget(kind, { VIEWER_DAY: plenty });
    const conversationId = await startedConversation(parley);
    parley.standIn.failNext({ name: "unauthorized" });
    expect(await askByText(parley, conversationId, question)).toMatchObject({ status: "FAILED" });
    expect(await expectTrueBooks(parley)).toBe(0);
    parley.standIn.failNext({ name: "content-filter-answer" });
    const filtered = await askByText(parley, conversationId, question);
    expect(filtered.error?.code).toBe("CONTENT_FILTERED");
    expect(await expectTrueBooks(parley)).toBe(filtered.usage?.costMicroUsd);
  });

  it("still counts the call of a conversation that was deleted while it ran", async () => {
    const parley = await parleyWithBudget(kind, { VIEWER_DAY: plenty });
    const { conversationId } = await heldTurn(parley);
    await answerHasGrownTo(parley, 45);
    await parley.ask(deleteConversation, { id: conversationId });
    expect(await today(parley)).toMatchObject({ reservedMicroUsd: 0 });
    expect(await expectTrueBooks(parley)).toBeGreaterThan(0);
    expect((await today(parley)).spentMicroUsd).toBe(await expectTrueBooks(parley));
  });

  it("of a day and a month that are both spent goes on when the later one begins anew", async () => {
    const parley = await parleyWithBudget(kind, { VIEWER_DAY: oneTurn, VIEWER_MONTH: oneTurn });
    await askByText(parley, await startedConversation(parley), question);
    const { errors } = await tryByText(parley, await startedConversation(parley));
    expect(errors[0]?.message).toBe(
      `What is left of your budget for this month is less than this turn could cost. It begins anew at ${nextMonth()}.`,
    );
    const untilReset = Date.parse(nextMonth()) - Date.now();
    expect(Math.abs((errors[0]?.extensions.retryAfterMs ?? 0) - untilReset)).toBeLessThan(10_000);
  });

  it("of the organisation is told without what others have spent", async () => {
    const parley = await parleyWithBudget(kind, { VIEWER_DAY: plenty, TENANT_DAY: oneTurn });
    await askByText(parley, await startedConversation(parley), question);
    const { errors } = await tryByText(parley, await startedConversation(parley));
    expect(errors[0]?.message).toBe(
      `What is left of your organisation's budget for today is less than this turn could cost. It begins anew at ${nextDay()}.`,
    );
  });

  it("counts what was spent before it was set, this month's alone", async () => {
    const parley = await parleyWithBudget(kind, {});
    const conversationId = await startedConversation(parley);
    const { usage } = await askByText(parley, conversationId, question);
    expect(await parley.ask(readBudget)).toEqual({ viewer: { budget: null } });
    const { client } = parley.server.context.database;
    const call = await client.modelCall.findFirstOrThrow();
    await client.modelCall.create({
      data: { ...call, id: "call_old", endedAt: new Date("2026-01-31T23:59:59.999Z") },
    });
    await parley.restart(await budgetSettings({ VIEWER_DAY: plenty, TENANT_MONTH: plenty }));
    const budget = await budgetOf(parley);
    expect(budget.viewerDay?.spentMicroUsd).toBe(usage?.costMicroUsd);
    expect(budget.tenantMonth?.remainingMicroUsd).toBe(plenty - (usage?.costMicroUsd ?? 0));
  });

  it("counts days and months apart", async () => {
    const parley = await parleyWithBudget(kind, { VIEWER_DAY: plenty, VIEWER_MONTH: plenty });
    const now = new Date();
    const [day, month] = [now.toISOString().slice(0, 10), now.toISOString().slice(0, 7)];
    const rows = [`${month}-01`, `${month}-02`, "2026-01-31", day];
    const { client } = parley.server.context.database;
    const scope = "viewer:viewer_local";
    for (const [index, each] of [...new Set(rows)].entries())
      await client.spendDay.create({ data: { scope, day: each, costMicroUsd: 10 ** index } });
    const all = await client.spendDay.findMany({ where: { scope } });
    const sum = (matches: (each: string) => boolean) =>
      all.filter((row) => matches(row.day)).reduce((total, row) => total + Number(row.costMicroUsd), 0);
    const budget = await budgetOf(parley);
    expect(budget.viewerDay?.spentMicroUsd).toBe(sum((each) => each === day));
    expect(budget.viewerMonth?.spentMicroUsd).toBe(sum((each) => each.startsWith(month)));
  });

  it("counts no reservation that has expired, unless its turn still waits or runs; the sweep removes it", async () => {
    const parley = await parleyWithBudget(kind, { VIEWER_DAY: plenty });
    const { client } = parley.server.context.database;
    const { id, pause } = await heldTurn(parley);
    const over = { expiresAt: new Date(Date.now() - 1) };
    await client.budgetReservation.updateMany({ data: over });
    const left = { turnId: "turn_gone", attempt: 1, ownerId: "viewer_local", tenantId: "local" };
    const createdAt = new Date(0);
    const data = { ...left, costMicroUsd: 7, createdAt, expiresAt: new Date(Date.now() + 3_600_000) };
    await client.budgetReservation.create({ data });
    expect((await today(parley)).reservedMicroUsd).toBe(oneTurn + 7);
    await client.budgetReservation.updateMany({ data: over });
    expect((await today(parley)).reservedMicroUsd).toBe(oneTurn);
    parley.server.context.housekeeping.start();
    while ((await client.budgetReservation.count()) > 1) await delay(5);
    expect((await client.budgetReservation.findMany()).map(({ turnId }) => turnId)).toEqual([id]);
    pause.release();
    await endOfTurn(parley, id);
    await expectTrueBooks(parley);
  });
});

/** Somebody who signs in with a key of their own. */
async function person(parley: TestParley, owner: string, tenantId: string) {
  const keys = new ApiKeys(parley.server.context.database.client);
  const { key } = await keys.create({ name: owner, owner, tenantId, scopes, expiresAt: null });
  const headers = { authorization: `Bearer ${key}` };
  const ask = async <Data>(query: string, variables: object = {}): Promise<Data> => {
    const { data, errors } = await parley.send<Data>(query, variables, headers);
    if (errors.length > 0) throw new Error(errors[0]?.message);
    return data;
  };
  return { ask, conversationId: await startedConversation({ ask }) };
}

onEachDatabase("a budget of an organisation", (kind) => {
  it("is shared by its people, who learn only what is left, and by nobody else", async () => {
    const limits = { VIEWER_DAY: plenty, TENANT_DAY: oneTurn };
    const parley = await parleyWithBudget(kind, limits, { AUTH: "api-key" });
    const [ada, bob, eve] = await Promise.all([
      person(parley, "ada", "acme"),
      person(parley, "bob", "acme"),
      person(parley, "eve", "elsewhere"),
    ]);
    const { usage } = await askByText(ada, ada.conversationId, question);
    const cost = usage?.costMicroUsd ?? 0;
    expect(cost).toBeGreaterThan(0);
    await expect(askByText(bob, bob.conversationId, question)).rejects.toThrow(
      "What is left of your organisation's budget for today is less than this turn could cost.",
    );
    expect(await budgetOf(ada)).toMatchObject({ viewerDay: { spentMicroUsd: cost } });
    const budget = await budgetOf(bob);
    expect(budget.viewerDay).toMatchObject({ spentMicroUsd: 0, remainingMicroUsd: plenty });
    const left = { limitMicroUsd: oneTurn, remainingMicroUsd: oneTurn - cost, resetsAt: nextDay() };
    expect(budget.tenantDay).toEqual(left);
    expect((await budgetOf(eve)).tenantDay).toMatchObject({ remainingMicroUsd: oneTurn });
    expect(await askByText(eve, eve.conversationId, question)).toMatchObject({ status: "COMPLETED" });
  });

  it("of one turn lets one person's turn run where several send one at once", async () => {
    const parley = await parleyWithBudget(kind, { TENANT_MONTH: oneTurn }, { AUTH: "api-key" });
    const people = await Promise.all(
      ["ada", "bob", "cyd", "dan"].map((name) => person(parley, name, "acme")),
    );
    const turns = await Promise.allSettled(
      people.map((each) => askByText(each, each.conversationId, question)),
    );
    expect(turns.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    expect(parley.standIn.requests).toHaveLength(1);
  });
});

onEachDatabase("without a budget", (kind) => {
  it("nothing is read, held or counted, and answers have no bound", async () => {
    const parley = await parleyWithBudget(kind, {});
    const conversationId = await startedConversation(parley);
    parley.statements.length = 0;
    const turn = await askByText(parley, conversationId, question);
    expect(turn.status).toBe("COMPLETED");
    // The sweep at the start deletes what is left over.
    const statements = parley.statements.filter((statement) => !statement.trimStart().startsWith("DELETE"));
    expect(statements.filter((statement) => /SpendDay|BudgetReservation/.test(statement))).toEqual([]);
    expect(sentRequests(parley.standIn)[0]).not.toHaveProperty("max_completion_tokens");
    const answer = await parley.ask(
      "{ viewer { budget { viewerDay { limitMicroUsd } } } capabilities { maxReplyTokens } }",
    );
    expect(answer).toEqual({ viewer: { budget: null }, capabilities: { maxReplyTokens: null } });
  });
});

describe("a server with a budget", () => {
  it("does not start without a price for the deployment that answers", async () => {
    const starting = TestParley.start("sqlite", { env: { BUDGET_TENANT_MONTH_USD: "100" } });
    await expect(starting).rejects.toMatchObject({
      name: "ConfigError",
      message: expect.stringContaining('PRICES_FILE must hold a price for the deployment "test-deployment"'),
    });
  });
});

describe("two servers on one Postgres", () => {
  it("of which both are sent a turn at once let exactly one run, where the budget is of one turn", async () => {
    const parley = await parleyWithBudget("postgresql", { TENANT_DAY: oneTurn });
    const another = await parley.startAnother();
    for (let round = 0; round < 5; round += 1) {
      const sql = await openSql(parley.databaseUrl);
      await sql('DELETE FROM "SpendDay"');
      const ids = await conversations(parley, 6);
      const answers = await Promise.all(
        ids.map((id, index) => tryByText(index % 2 === 0 ? parley : another, id)),
      );
      expect(codesOf(answers)).toEqual(Array<string>(5).fill("BUDGET_EXCEEDED"));
      expect(parley.standIn.requests).toHaveLength(round + 1);
    }
  });
});
