import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { pino } from "pino";
import { RateLimits } from "../../src/services/rates/rate-limits.js";
import type { RateKind } from "../../src/services/rates/rate-limits.js";
import type { RateWindow, RateWindows } from "../../src/services/rates/rate-windows.js";

/** A database of counters whose time is the test's, and which can be away. */
class FakeWindows implements RateWindows {
  nowMs = 1_000_000;
  away = false;
  writes = 0;
  readonly #windows = new Map<string, RateWindow>();

  async count(key: string, permits: number): Promise<RateWindow> {
    await Promise.resolve();
    if (this.away) throw new Error("the database is away");
    this.writes += 1;
    const known = this.#windows.get(key);
    const open = known !== undefined && known.endsAtMs > this.nowMs ? known : null;
    const window = {
      used: (open?.used ?? 0) + permits,
      endsAtMs: open?.endsAtMs ?? this.nowMs + 60_000,
    };
    this.#windows.set(key, window);
    return window;
  }

  read(keys: readonly string[]): Promise<ReadonlyMap<string, RateWindow>> {
    return Promise.resolve(
      new Map(
        [...this.#windows].filter(([key, { endsAtMs }]) => keys.includes(key) && endsAtMs > this.nowMs),
      ),
    );
  }

  sweep(): Promise<number> {
    return Promise.resolve(0);
  }
}

const log: string[] = [];

function server(windows: FakeWindows, limit: number | null): RateLimits {
  const bounds = { turns: limit, uploads: limit, reads: limit };
  const logger = pino({ level: "warn" }, { write: (line: string) => void log.push(line) });
  const rates = { viewer: bounds, address: { ...bounds, failedSignIns: limit } };
  return new RateLimits({ windows, rates, logger, now: () => windows.nowMs });
}

/** How many of so many are let through. */
async function letThrough(rates: RateLimits, count: number, kind: RateKind, viewer = "v"): Promise<number> {
  const taken = await Promise.allSettled(
    Array.from({ length: count }, () => rates.takeForViewer(viewer, kind)),
  );
  return taken.filter(({ status }) => status === "fulfilled").length;
}

describe("a rate limit", () => {
  it("lets through as many as it says, all at once or one by one, and says when to come back", async () => {
    for (const kind of ["turns", "uploads", "reads"] as const) {
      const windows = new FakeWindows();
      const rates = server(windows, 50);
      expect(await letThrough(rates, 30, kind)).toBe(30);
      windows.nowMs += 20_000;
      expect(await letThrough(rates, 30, kind)).toBe(20);
      await expect(rates.takeForViewer("v", kind)).rejects.toMatchObject({
        code: "RATE_LIMITED",
        retryable: true,
        retryAfterMs: 40_000,
        message: `At most 50 ${kind} of a viewer are taken in a minute. Come back in 40 s.`,
      });
      windows.nowMs += 40_000;
      expect(await letThrough(rates, 60, kind)).toBe(50);
    }
  });

  it("is each viewer's own, and each kind's", async () => {
    const rates = server(new FakeWindows(), 2);
    expect(await letThrough(rates, 3, "turns")).toBe(2);
    expect(await letThrough(rates, 3, "turns", "another")).toBe(2);
    expect(await letThrough(rates, 3, "uploads")).toBe(2);
  });

  it("is not there where it is off", async () => {
    const windows = new FakeWindows();
    expect(await letThrough(server(windows, null), 1_000, "turns")).toBe(1_000);
    expect(windows.writes).toBe(0);
    expect(await server(windows, null).stateOf("v")).toEqual({ turns: null, uploads: null, reads: null });
  });

  it("costs a write for twenty reads in four hundred, and none where nothing is left", async () => {
    const windows = new FakeWindows();
    const rates = server(windows, 400);
    expect(await letThrough(rates, 400, "reads")).toBe(400);
    expect(windows.writes).toBe(20);
    expect(await letThrough(rates, 400, "reads")).toBe(0);
    expect(windows.writes).toBe(20);
  });

  it("is kept by servers together, whoever asks where and how often", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 70 }),
        fc.constantFrom("turns" as const, "reads" as const),
        fc.array(fc.tuple(fc.nat(2), fc.integer({ min: 1, max: 30 })), { maxLength: 12 }),
        async (limit, kind, bursts) => {
          const windows = new FakeWindows();
          const servers = [server(windows, limit), server(windows, limit), server(windows, limit)];
          const through = await Promise.all(
            bursts.map(([index, count]) => letThrough(servers[index] ?? never(), count, kind)),
          );
          const total = through.reduce((sum, count) => sum + count, 0);
          const asked = bursts.reduce((sum, [, count]) => sum + count, 0);
          const setAside = kind === "reads" ? 3 * Math.ceil(limit / 20) : 0;
          expect(total).toBeLessThanOrEqual(limit);
          expect(total).toBeGreaterThanOrEqual(Math.min(asked, limit) - setAside);
        },
      ),
    );
  });

  it("tells what is left, also of what this server has set aside", async () => {
    const windows = new FakeWindows();
    const rates = server(windows, 100);
    const untouched = { limit: 100, remaining: 100, resetsAt: null };
    expect(await rates.stateOf("v")).toEqual({ turns: untouched, uploads: untouched, reads: untouched });
    await letThrough(rates, 3, "reads");
    await letThrough(rates, 120, "turns");
    const resetsAt = new Date(windows.nowMs + 60_000);
    expect(await rates.stateOf("v")).toEqual({
      turns: { limit: 100, remaining: 0, resetsAt },
      uploads: untouched,
      reads: { limit: 100, remaining: 97, resetsAt },
    });
  });

  it("is counted by each server alone for a minute where the database is away", async () => {
    const windows = new FakeWindows();
    const rates = server(windows, 10);
    windows.away = true;
    log.length = 0;
    expect(await letThrough(rates, 12, "turns")).toBe(10);
    expect(log).toHaveLength(1);
    windows.away = false;
    expect(await letThrough(rates, 1, "turns")).toBe(0);
    windows.nowMs += 60_000;
    expect(await letThrough(rates, 12, "turns")).toBe(10);
  });
});

describe("who guesses", () => {
  it("is refused after so many failed sign-ins, also before the next is looked at", async () => {
    const windows = new FakeWindows();
    const rates = server(windows, 3);
    for (let guess = 0; guess < 3; guess += 1) {
      rates.refuseGuessing("192.0.2.7");
      await rates.countFailedSignIn("192.0.2.7");
    }
    const refusal = expect.objectContaining({ code: "RATE_LIMITED", retryAfterMs: 60_000 }) as unknown;
    expect(() => rates.refuseGuessing("192.0.2.7")).toThrow(refusal);
    await expect(server(windows, 3).countFailedSignIn("192.0.2.7")).rejects.toEqual(refusal);
    rates.refuseGuessing("192.0.2.8");
    windows.nowMs += 60_000;
    rates.refuseGuessing("192.0.2.7");
  });
});

function never(): never {
  throw new Error("there is no such server");
}
