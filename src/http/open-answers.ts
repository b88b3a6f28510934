import type { Server, ServerResponse } from "node:http";

/** The requests that a server has taken and not answered yet. */
export interface OpenAnswers {
  /** Resolves when there are none, or after `timeoutMs`: who reads slowly does not hold up the end of a server. */
  settled(timeoutMs: number): Promise<void>;
}

export function trackOpenAnswers(server: Server): OpenAnswers {
  const open = new Set<ServerResponse>();
  let settle: () => void = () => undefined;
  server.on("request", (_request, response: ServerResponse) => {
    open.add(response);
    response.once("close", () => {
      open.delete(response);
      if (open.size === 0) settle();
    });
  });
  return {
    settled: (timeoutMs) =>
      new Promise((resolve) => {
        if (open.size === 0) return resolve();
        const timer = setTimeout(resolve, timeoutMs);
        settle = () => {
          clearTimeout(timer);
          resolve();
        };
      }),
  };
}
