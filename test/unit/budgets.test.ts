import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import type { ParleyError } from "../../src/errors.js";
import { budgetPeriods, refusalOf } from "../../src/services/budgets/budget-periods.js";
import { calendarOf } from "../../src/services/budgets/calendar.js";
import { worstCostMicroUsd } from "../../src/services/budgets/worst-cost.js";
import { planRequest } from "../../src/services/history/plan-request.js";
import type { HistoryTurn, RequestFacts } from "../../src/services/history/types.js";
import { costMicroUsd } from "../../src/services/usage/usage.js";

describe("the calendar of budgets", () => {
  it.each([
    ["2026-11-26T12:00:00.000Z", "2026-11-26", "2026-11-25", "2026-11-01", "2026-11-27", "2026-12-01"],
    ["2026-12-31T23:59:59.999Z", "2026-12-31", "2026-12-30", "2026-12-01", "2027-01-01", "2027-01-01"],
    ["2027-01-01T00:00:00.000Z", "2027-01-01", "2026-12-31", "2027-01-01", "2027-01-02", "2027-02-01"],
    ["2028-02-28T00:00:00.000Z", "2028-02-28", "2028-02-27", "2028-02-01", "2028-02-29", "2028-03-01"],
    ["2028-03-01T01:00:00.000Z", "2028-03-01", "2028-02-29", "2028-03-01", "2028-03-02", "2028-04-01"],
  ])("goes by UTC: %s", (now, today, yesterday, firstOfMonth, dayEnds, monthEnds) => {
    expect(calendarOf(new Date(now))).toEqual({
      today,
      yesterday,
      firstOfMonth,
      dayEnds: new Date(dayEnds),
      monthEnds: new Date(monthEnds),
    });
  });
});

const now = new Date("2026-11-26T12:00:00.000Z");
const calendar = calendarOf(now);
const amount = fc.integer({ min: 0, max: 1_000 });
const limit = fc.option(fc.integer({ min: 1, max: 2_000 }));
const limits = fc.record({
  viewer: fc.record({ day: limit, month: limit }),
  tenant: fc.record({ day: limit, month: limit }),
});
const spending = fc
  .record({ day: amount, before: amount, reserved: amount })
  .map(({ day, before, reserved }) => ({ day, month: day + before, reserved }));
const spendings = fc.record({ viewer: spending, tenant: spending });

const resetOf = (error: ParleyError) => now.getTime() + (error.retryAfterMs ?? Infinity);

describe("a turn under budgets", () => {
  it("is taken if and only if each budget has room for it beside what was spent and is held", () => {
    fc.assert(
      fc.property(limits, spendings, amount, (limits, spendings, cost) => {
        const refusal = refusalOf(budgetPeriods(limits, spendings, calendar), cost, now);
        const fits = (["viewer", "tenant"] as const).every((whose) =>
          (["day", "month"] as const).every((period) => {
            const most = limits[whose][period];
            const { [period]: spent, reserved } = spendings[whose];
            return most === null || spent + reserved + cost <= most;
          }),
        );
        expect(refusal === null).toBe(fits);
      }),
    );
  });

  it("is not taken where more is held than the budget has, not even if it costs nothing", () => {
    const viewer = { day: 0, month: 0, reserved: 0 };
    const spendings = { viewer, tenant: { ...viewer, reserved: 2 } };
    const limits = { viewer: { day: null, month: null }, tenant: { day: null, month: 1 } };
    const periods = budgetPeriods(limits, spendings, calendar);
    expect(refusalOf(periods, 0, now)).toMatchObject({ code: "BUDGET_EXCEEDED", retryable: true });
  });

  it("never spends more than a budget, however many are sent, as long as none costs more than was held", () => {
    const turns = fc.array(
      fc.record({
        held: fc.integer({ min: 1, max: 500 }),
        share: fc.double({ min: 0, max: 1, noNaN: true }),
        ends: fc.boolean(),
      }),
    );
    fc.assert(
      fc.property(limits, turns, (limits, turns) => {
        const one = { day: 0, month: 0, reserved: 0 };
        for (const { held, share, ends } of turns) {
          const state = { viewer: { ...one }, tenant: { ...one } };
          if (refusalOf(budgetPeriods(limits, state, calendar), held, now) !== null) continue;
          one.reserved += held;
          if (!ends) continue;
          const cost = Math.floor(held * share);
          one.reserved -= held;
          one.day += cost;
          one.month += cost;
        }
        for (const most of [limits.viewer.day, limits.viewer.month, limits.tenant.day, limits.tenant.month])
          expect(one.day + one.reserved).toBeLessThanOrEqual(most ?? Infinity);
      }),
    );
  });

  it("that can come back is told when: then every budget that is spent now has begun anew", () => {
    fc.assert(
      fc.property(limits, spendings, amount, (limits, spendings, cost) => {
        const periods = budgetPeriods(limits, spendings, calendar);
        const refusal = refusalOf(periods, cost, now);
        if (refusal === null) return;
        expect(refusal.retryable).toBe(periods.every(({ limitMicroUsd }) => cost <= limitMicroUsd));
        if (!refusal.retryable) {
          expect(refusal.retryAfterMs).toBeNull();
          return;
        }
        for (const { spentMicroUsd, limitMicroUsd, resetsAt } of periods)
          if (spentMicroUsd + cost > limitMicroUsd)
            expect(resetOf(refusal)).toBeGreaterThanOrEqual(resetsAt.getTime());
        expect(resetOf(refusal)).toBeGreaterThan(now.getTime());
      }),
    );
  });
});

const price = fc.record({
  textInput: fc.integer({ max: 100, min: 0 }),
  textOutput: fc.integer({ max: 100, min: 0 }),
  audioInput: fc.integer({ max: 100, min: 0 }),
  audioOutput: fc.integer({ max: 100, min: 0 }),
  cachedInput: fc.integer({ max: 100, min: 0 }),
});
const words = fc.option(fc.string({ unit: "binary", maxLength: 200 }));
const userSound = fc.record({
  storageKey: fc.constant("key"),
  format: fc.constant("wav" as const),
  byteLength: fc.integer({ min: 1_000, max: 1_000_000 }),
  durationMs: fc.option(fc.integer({ min: 1, max: 60_000 })),
});
const answerSound = fc.record({
  clipId: fc.constant("clip"),
  providerAudioId: fc.constant("audio"),
  providerAudioExpiresAt: fc.constantFrom(new Date(now.getTime() + 3_600_000), new Date(0)),
  dead: fc.boolean(),
  endpoint: fc.constant("here"),
  deployment: fc.constant("one"),
  byteLength: fc.integer({ min: 1_000, max: 1_000_000 }),
  durationMs: fc.option(fc.integer({ min: 1, max: 60_000 })),
});
const turn: fc.Arbitrary<HistoryTurn> = fc.record({
  status: fc.constantFrom("COMPLETED", "CANCELLED"),
  user: fc.record({ text: words, transcript: words, sound: fc.option(userSound) }),
  assistant: fc.option(fc.record({ text: words, transcript: words, sound: fc.option(answerSound) })),
});
const facts: fc.Arbitrary<RequestFacts> = fc.record({
  instructions: words,
  turns: fc.array(turn, { maxLength: 5 }),
  olderTurns: fc.constant(0),
  message: fc.record({ text: words, sound: fc.option(userSound) }),
  replyWithSound: fc.boolean(),
  now: fc.constant(now),
  endpoint: fc.constant("here"),
  deployment: fc.constant("one"),
  bounds: fc.constant({ maxTokens: 100_000, maxAudioBytes: 10_000_000 }),
  withoutAudioIds: fc.constant(false),
  lostSound: fc.constant(new Set<string>()),
});

describe("what is held for a turn", () => {
  it("is at least what its call costs, by estimate, and with every token of its answer", () => {
    const share = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(
        facts,
        price,
        fc.nat({ max: 10_000 }),
        share,
        share,
        fc.boolean(),
        (facts, price, most, sound, cached, withoutIds) => {
          const plan = planRequest({ ...facts, withoutAudioIds: withoutIds });
          const { textTokens: inputText, audioTokens: inputAudio } = plan.estimate;
          const outputAudio = plan.askForSound ? Math.floor(most * sound) : 0;
          const cachedInput = Math.floor((inputText + inputAudio) * cached);
          const usage = { inputText, inputAudio, cachedInput, outputText: most - outputAudio, outputAudio };
          expect(worstCostMicroUsd(facts, most, price)).toBeGreaterThanOrEqual(costMicroUsd(usage, price));
        },
      ),
    );
  });

  it("grows with the length of the answer that is allowed, by the dearer of its forms", () => {
    const question: RequestFacts = {
      instructions: null,
      turns: [],
      olderTurns: 0,
      message: { text: "Hello", sound: null },
      replyWithSound: false,
      now,
      endpoint: "here",
      deployment: "one",
      bounds: { maxTokens: 100_000, maxAudioBytes: 0 },
      withoutAudioIds: false,
      lostSound: new Set(),
    };
    const dear = { textInput: 1, textOutput: 10, audioInput: 1, audioOutput: 64, cachedInput: 1 };
    expect(worstCostMicroUsd(question, 100, dear) - worstCostMicroUsd(question, 0, dear)).toBe(6_400);
  });
});
