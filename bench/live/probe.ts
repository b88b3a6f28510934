import { fileURLToPath } from "node:url";
import { z } from "zod";
import type { Program } from "../programs.js";

/** With these a server's process can be probed. */
export const probing = [
  "--expose-gc",
  "--import",
  fileURLToPath(new URL("memory-probe.js", import.meta.url)),
];

const shape = z.object({ rss: z.number(), heapUsed: z.number(), external: z.number(), cpuMs: z.number() });
export type Usage = z.infer<typeof shape>;

/** Memory in bytes, after a forced collection. */
export async function probeMemory(server: Program): Promise<Usage> {
  return shape.parse(await server.ask("memory"));
}

/** The processor time used so far, in milliseconds. Nothing is collected for it: that would slow down what follows. */
export async function probeCpu(server: Program): Promise<number> {
  return shape.parse(await server.ask("time")).cpuMs;
}
