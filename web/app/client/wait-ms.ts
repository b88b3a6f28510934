const firstMs = 500;
const longestMs = 10_000;

/**
 * How long to wait before the next try, in milliseconds: twice as long after each failure, up to 10 s, and by `chance` (0
 * to 1) up to a half less, so that clients which lost the same server don't come back at the same moment.
 */
export function waitMs(failures: number, chance: number): number {
  const fullMs = Math.min(longestMs, firstMs * 2 ** Math.max(0, failures - 1));
  return fullMs * (1 - chance / 2);
}
