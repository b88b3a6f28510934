import { setImmediate as nextLoop } from "node:timers/promises";

const budgetMs = 10;

/** A function to await often: it lets other work of the process run once about 10 ms have passed, and else costs nothing. */
export function createPause(): () => Promise<void> | undefined {
  let resumedAtMs = performance.now();
  return () => {
    if (performance.now() - resumedAtMs < budgetMs) return undefined;
    return nextLoop().then(() => {
      resumedAtMs = performance.now();
    });
  };
}
