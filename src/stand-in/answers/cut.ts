import type { ServerResponse } from "node:http";
import { setImmediate } from "node:timers/promises";

/** Closes the connection behind what was written: Node sends that at the end of its turn, and nothing of it where it is destroyed before. */
export async function cut(response: ServerResponse): Promise<void> {
  await setImmediate();
  response.destroy(new Error("Cut on demand."));
}
