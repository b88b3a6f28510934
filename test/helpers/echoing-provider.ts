import { createServer, request as ask } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { pipeline } from "node:stream";
import { afterEach } from "@jest/globals";

/** How the next request is answered: an error of this status, or a stream, that repeats all of the request. */
export type Echo = number | "stream-error" | "nonsense";

/** A gateway in front of a provider, one of those that repeat requests in their errors: headers, key and words. */
export class EchoingProvider {
  url = "";
  readonly #server: Server;
  readonly #echoes: Echo[] = [];
  /** How many requests were answered by repeating them. */
  echoed = 0;

  private constructor(target: string) {
    this.#server = createServer((request, response) => void this.#answer(request, response, target));
  }

  static async start(target: string): Promise<EchoingProvider> {
    const provider = new EchoingProvider(target);
    await new Promise<void>((resolve) => provider.#server.listen(0, "127.0.0.1", resolve));
    provider.url = `http://127.0.0.1:${(provider.#server.address() as AddressInfo).port}`;
    running.add(provider);
    return provider;
  }

  echoNext(echo: Echo): void {
    this.#echoes.push(echo);
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(request: IncomingMessage, response: ServerResponse, target: string): Promise<void> {
    const echo = this.#echoes.shift();
    const { method, url, headers } = request;
    if (echo === undefined) {
      const passed = ask(`${target}${url ?? ""}`, { method, headers }, (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        // Also destroys it where the answer is cut.
        pipeline(answer, response, () => undefined);
      });
      request.pipe(passed);
      return;
    }
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    this.echoed += 1;
    // The words and the key first, so that no cut at some length hides them.
    const body = Buffer.concat(chunks).toString();
    const words = /"content":"([^"]*)"/g;
    const said = [...body.matchAll(words)].map(([, word]) => word).join(" ");
    const key = String(headers["api-key"]);
    const message = `Invalid request: ${said} by ${key} ${JSON.stringify(headers)} ${body}`;
    const error = { message, type: "invalid_request_error", code: "invalid_value", param: message };
    if (typeof echo === "number") {
      response.writeHead(echo, { "content-type": "application/json", "x-echo": encodeURIComponent(said) });
      response.end(JSON.stringify({ error }));
      return;
    }
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.end(echo === "nonsense" ? `data: ${message}\n\n` : `data: ${JSON.stringify({ error })}\n\n`);
  }
}

const running = new Set<EchoingProvider>();

afterEach(async () => {
  await Promise.all([...running].map((provider) => provider.close()));
  running.clear();
});
