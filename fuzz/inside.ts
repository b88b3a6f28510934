/** Loaded before the program that is fuzzed: tells how much memory is left in use when all garbage is gone. */
import type { Memory } from "./child.js";

process.on("message", (message) => {
  if (message !== "memory") return;
  // Twice: finalizers that the first run calls let go of more.
  globalThis.gc?.();
  globalThis.gc?.();
  const { rss, heapUsed, external } = process.memoryUsage();
  process.send?.({ memory: { rssBytes: rss, heapBytes: heapUsed + external } satisfies Memory });
});
// Whether anybody may ask must not keep the program from ending.
process.channel?.unref();
