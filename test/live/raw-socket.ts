import { afterEach } from "@jest/globals";
import { WebSocket } from "ws";
import type { ClientOptions } from "ws";

export type Message = Record<string, unknown> & { type: string };

const open = new Set<WebSocket>();

afterEach(() => {
  for (const socket of open) socket.terminate();
  open.clear();
});

/** A WebSocket whose every message and frame the test decides on. */
export class RawSocket {
  readonly socket: WebSocket;
  readonly closed: Promise<{ code: number; reason: string }>;
  readonly #messages: Message[] = [];
  #onMessage: () => void = () => undefined;

  private constructor(socket: WebSocket) {
    this.socket = socket;
    open.add(socket);
    socket.on("message", (data: Buffer) => {
      this.#messages.push(JSON.parse(data.toString()) as Message);
      this.#onMessage();
    });
    this.closed = new Promise((resolve) => {
      socket.on("close", (code, reason) => resolve({ code, reason: reason.toString() }));
    });
    socket.on("error", () => undefined);
  }

  /** Resolves when it is open; nothing is sent yet. */
  static connect(
    url: string,
    options: ClientOptions = {},
    protocols = ["graphql-transport-ws"],
  ): Promise<RawSocket> {
    const raw = new RawSocket(new WebSocket(url, protocols, options));
    return new Promise((resolve, reject) => {
      raw.socket.once("open", () => resolve(raw));
      raw.socket.once("error", reject);
    });
  }

  /** Connected, and acknowledged by the server. */
  static async initialised(url: string, options: ClientOptions = {}): Promise<RawSocket> {
    const raw = await RawSocket.connect(url, options);
    raw.send({ type: "connection_init" });
    await raw.next();
    return raw;
  }

  send(message: Message): void {
    this.socket.send(JSON.stringify(message));
  }

  subscribe(id: string, query: string, variables: Record<string, unknown> = {}): void {
    this.send({ type: "subscribe", id, payload: { query, variables } });
  }

  async next(): Promise<Message> {
    for (;;) {
      const message = this.#messages.shift();
      if (message !== undefined) return message;
      await new Promise<void>((resolve) => (this.#onMessage = resolve));
    }
  }
}

/** How the server answers a request for a socket that it does not open. */
export function refusedUpgrade(
  url: string,
  options: ClientOptions = {},
): Promise<{ status: number; type: string; body: unknown }> {
  const socket = new WebSocket(url, ["graphql-transport-ws"], options);
  return new Promise((resolve, reject) => {
    socket.on("open", () => {
      socket.terminate();
      reject(new Error("the socket was opened"));
    });
    socket.on("error", reject);
    socket.on("unexpected-response", (_request, response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () =>
        resolve({
          status: response.statusCode ?? 0,
          type: response.headers["content-type"] ?? "",
          body: JSON.parse(Buffer.concat(chunks).toString()) as unknown,
        }),
      );
    });
  });
}
