import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { endOfUrl } from "../../src/services/audio/audio-urls.js";

const instant = fc.integer({ min: Date.UTC(2020), max: Date.UTC(2100) });
const ttl = fc.integer({ min: 60, max: 86_400 }).map((seconds) => seconds * 1000);

describe("The end of an audio URL", () => {
  it("lies at least as far ahead as was set, and at most twice as far", () => {
    fc.assert(
      fc.property(instant, ttl, (nowMs, ttlMs) => {
        const aheadMs = endOfUrl(nowMs, ttlMs) * 1000 - nowMs;
        expect(aheadMs).toBeGreaterThanOrEqual(ttlMs);
        expect(aheadMs).toBeLessThanOrEqual(2 * ttlMs);
      }),
    );
  });

  it("stays the same until the window is over, and is a whole number of seconds", () => {
    fc.assert(
      fc.property(instant, ttl, (nowMs, ttlMs) => {
        const end = endOfUrl(nowMs, ttlMs);
        const [first, last] = [end * 1000 - 2 * ttlMs + 1, end * 1000 - ttlMs];
        expect([endOfUrl(first, ttlMs), endOfUrl(last, ttlMs)]).toEqual([end, end]);
        expect(endOfUrl(last + 1, ttlMs)).toBe(end + ttlMs / 1000);
        expect(Number.isSafeInteger(end)).toBe(true);
      }),
    );
  });

  it("is not earlier for a time that is no whole number of seconds", () => {
    expect(endOfUrl(0, 60_001)).toBe(61);
  });
});
