import { setTimeout as delay } from "node:timers/promises";
import { expect, it } from "@jest/globals";
import { calendarOf, dayOf } from "../../src/services/budgets/calendar.js";
import { budgetOf, codesOf, oneTurn, parleyWithBudget, question, tryByText } from "../helpers/budgets.js";
import { onEachDatabase } from "../helpers/databases.js";
import { deletedViewer } from "../helpers/deletions.js";
import { tracesOf } from "../helpers/everything.js";
import { answerHasGrownTo } from "../helpers/exchanges.js";
import { askByText, startedConversation } from "../helpers/operations.js";
import type { TestParley } from "../helpers/parley.js";

const plenty = 50_000_000;
const dayMs = 24 * 60 * 60 * 1000;

async function paidTurn(parley: TestParley): Promise<number> {
  const { usage } = await askByText(parley, await startedConversation(parley), question);
  const cost = usage?.costMicroUsd ?? 0;
  expect(cost).toBeGreaterThan(0);
  return cost;
}

async function spent(parley: TestParley): Promise<number | undefined> {
  return (await budgetOf(parley)).viewerMonth?.spentMicroUsd;
}

onEachDatabase("who deletes themselves", (kind) => {
  it("has no more to spend than before, nor more turns in the minute", async () => {
    const env = { RATE_TURNS_PER_MINUTE: "2" };
    const parley = await parleyWithBudget(kind, { VIEWER_DAY: oneTurn, VIEWER_MONTH: plenty }, env);
    const cost = await paidTurn(parley);
    await deletedViewer(parley);
    expect(await spent(parley)).toBe(cost);
    expect(codesOf([await tryByText(parley, await startedConversation(parley))])).toEqual([
      "BUDGET_EXCEEDED",
    ]);
    expect(codesOf([await tryByText(parley, await startedConversation(parley))])).toEqual(["RATE_LIMITED"]);
  });

  it("pays for what comes afterwards on top of what was before, also after the next start", async () => {
    const parley = await parleyWithBudget(kind, { VIEWER_MONTH: plenty });
    const before = await paidTurn(parley);
    await deletedViewer(parley);
    const sum = before + (await paidTurn(parley));
    expect(await spent(parley)).toBe(sum);
    await parley.restart();
    expect(await spent(parley)).toBe(sum);
  });

  it("pays for the answer that was being given", async () => {
    const parley = await parleyWithBudget(kind, { VIEWER_MONTH: plenty });
    const pause = parley.standIn.pauseNext("after-first-audio");
    await askByText(parley, await startedConversation(parley), question, { waitMs: 0 });
    await pause.reached;
    await answerHasGrownTo(parley, 45);
    await deletedViewer(parley);
    pause.release();
    const { client } = parley.server.context.database;
    while ((await client.budgetReservation.count()) > 0) await delay(10);
    const call = await client.modelCall.findFirstOrThrow();
    expect(call.ownerId).toBe("viewer_deleted");
    expect(Number(call.costMicroUsd)).toBeGreaterThan(0);
    expect(await spent(parley)).toBe(Number(call.costMicroUsd));
  });

  it("leaves only the numbers of this month, which go when it is over, as everybody's do", async () => {
    const parley = await parleyWithBudget(kind, { VIEWER_MONTH: plenty });
    const cost = await paidTurn(parley);
    const { client } = parley.server.context.database;
    const scope = "viewer:viewer_local";
    await client.spendDay.create({ data: { scope, day: "2026-01-31", costMicroUsd: 7 } });
    await deletedViewer(parley);
    const today = dayOf(new Date());
    // Days of which there is a row although nothing was spent are those on which turns wait for each other.
    expect(await client.spendDay.findMany({ where: { scope, costMicroUsd: { not: 0 } } })).toEqual([
      { scope, day: today, costMicroUsd: BigInt(cost) },
    ]);
    expect((await tracesOf(parley, "viewer_local")).sort()).toEqual(["Deletion", "SpendDay"]);

    // A day later than the month's end, because clocks differ.
    const { firstOfMonth } = calendarOf(new Date(Date.now() - dayMs));
    const over = dayOf(new Date(Date.parse(firstOfMonth) - dayMs));
    for (const day of [over, firstOfMonth])
      await client.spendDay.upsert({
        where: { scope_day: { scope, day } },
        create: { scope, day, costMicroUsd: 7 },
        update: {},
      });
    parley.server.context.housekeeping.start();
    while ((await client.spendDay.count({ where: { scope, day: over } })) > 0) await delay(10);
    const days = (await client.spendDay.findMany({ where: { scope } })).map(({ day }) => day);
    expect(days).toEqual(expect.arrayContaining([firstOfMonth, today]));
  });
});
