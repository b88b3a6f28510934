/** Loaded into the server's process ahead of it: tells on demand how much memory and processor time it uses. */
process.on("message", (question) => {
  if (question === "memory") {
    // What finalizers let go of is collected the second time.
    globalThis.gc?.();
    globalThis.gc?.();
  }
  const { rss, heapUsed, external } = process.memoryUsage();
  const { user, system } = process.cpuUsage();
  process.send?.({ rss, heapUsed, external, cpuMs: (user + system) / 1000 });
});
// Nothing but the server itself decides how long the process lives.
process.channel?.unref();
