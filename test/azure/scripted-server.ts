import { createServer } from "node:http";
import type { IncomingHttpHeaders, IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface ReceivedRequest {
  method: string;
  url: string;
  headers: IncomingHttpHeaders;
  body: Buffer;
  /** Counts the TCP connections of a server: equal for requests over the same one. */
  connection: number;
  /** Resolves when the response is over: true where it was sent whole, false where the client went away. */
  over: Promise<boolean>;
}

export type Reply = (response: ServerResponse, request: ReceivedRequest) => unknown;

export interface ScriptedServer {
  endpoint: string;
  requests: ReceivedRequest[];
  /** Resolves to the request of this index as soon as it has come whole. */
  request(index: number): Promise<ReceivedRequest>;
  close(): Promise<void>;
}

/** A server whose n-th request gets the n-th reply, and every further one the last. */
export async function startScriptedServer(...replies: [Reply, ...Reply[]]): Promise<ScriptedServer> {
  const requests: ReceivedRequest[] = [];
  const waiting = new Map<number, (request: ReceivedRequest) => void>();
  const connections = new Map<unknown, number>();
  const server = createServer((message, response) => {
    void receive(message, response, connections).then((request) => {
      const index = requests.push(request) - 1;
      waiting.get(index)?.(request);
      (replies[index] ?? replies[replies.length - 1])?.(response, request);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    request: (index) =>
      new Promise((resolve) => {
        const come = requests[index];
        if (come === undefined) waiting.set(index, resolve);
        else resolve(come);
      }),
    close: () => closeServer(server),
  };
}

async function receive(
  message: IncomingMessage,
  response: ServerResponse,
  connections: Map<unknown, number>,
): Promise<ReceivedRequest> {
  const over = new Promise<boolean>((resolve) => {
    response.on("close", () => resolve(response.writableFinished));
  });
  if (!connections.has(message.socket)) connections.set(message.socket, connections.size);
  const pieces: Buffer[] = [];
  for await (const piece of message) pieces.push(piece as Buffer);
  return {
    method: message.method ?? "",
    url: message.url ?? "",
    headers: message.headers,
    body: Buffer.concat(pieces),
    connection: connections.get(message.socket) ?? -1,
    over,
  };
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

export function json(status: number, body: unknown, headers: Record<string, string> = {}): Reply {
  return (response) =>
    response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(body));
}

/** A stream of these chunks; `[DONE]` unless left out. */
export function stream(chunks: readonly unknown[], end: "done" | "open" | "cut" | "silent" = "done"): Reply {
  return (response) => {
    response.writeHead(200, { "content-type": "text/event-stream", "apim-request-id": "req-stream" });
    const text = chunks.map((chunk) => `data: ${JSON.stringify(chunk)}\n\n`).join("");
    response.write(end === "done" ? `${text}data: [DONE]\n\n` : text, () => {
      if (end === "cut") response.destroy();
      if (end === "done" || end === "silent") response.end();
    });
  };
}
