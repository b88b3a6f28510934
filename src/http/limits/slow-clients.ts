import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { ConnectionLimits } from "../../config/config.js";
import { networkOf } from "./client-address.js";

/** In milliseconds; docs/limits.md tells them. */
export interface ClientTimes {
  /** From the connection, or from the first byte of a later request, to the end of the request's headers. */
  headersMs: number;
  /** From the first byte of a request to the last of its body. */
  requestMs: number;
  /** How long a connection may be idle between requests. */
  keepAliveMs: number;
  /** In each such time a body that is waited for must bring `minBodyBytes`. */
  bodyProgressMs: number;
  /** How often headers and requests are looked at. */
  checkMs: number;
}

export const clientTimes: ClientTimes = {
  headersMs: 15_000,
  requestMs: 15 * 60_000,
  keepAliveMs: 72_000,
  bodyProgressMs: 15_000,
  checkMs: 2_000,
};

/** A kilobyte a second: a thousandth of what a slow phone does. */
const minBodyBytes = 15 * 1024;

const timedOut = "HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";

/** Ends requests whose body comes too slowly: 408 where nothing was answered yet. What this server does not read yet is not slow. */
export function endSlowBodies(server: Server, { bodyProgressMs }: Pick<ClientTimes, "bodyProgressMs">): void {
  server.on("request", (request: IncomingMessage, response: ServerResponse) => {
    const { socket } = request;
    let seenBytes = socket.bytesRead;
    const look = () => {
      if (request.complete || socket.destroyed) {
        clearInterval(timer);
        return;
      }
      const isWaitedFor = isRead(request) && request.readableLength === 0;
      const progress = socket.bytesRead - seenBytes;
      seenBytes = socket.bytesRead;
      if (isWaitedFor && progress < minBodyBytes) cutOff(socket, response);
    };
    // What has arrived is read first: after the process stood still for a while, it is the timers that come first.
    const timer = setInterval(() => setImmediate(look), bodyProgressMs).unref();
    request.once("close", () => clearInterval(timer));
  });
}

/** A loop over a body listens for what can be read instead of letting it flow. */
function isRead(request: IncomingMessage): boolean {
  return request.readableFlowing === true || request.listenerCount("readable") > 0;
}

function cutOff(socket: Socket, response: ServerResponse): void {
  if (!response.headersSent) socket.write(timedOut);
  socket.destroySoon();
}

/** Takes no more connections than the limits say: what comes beyond them is closed without an answer. */
export function limitConnections(server: Server, limits: ConnectionLimits): void {
  server.maxConnections = limits.max;
  if (limits.maxPerAddress !== null) server.on("connection", countByAddress(limits.maxPerAddress));
}

function countByAddress(max: number): (socket: Socket) => void {
  const open = new Map<string, Set<Socket>>();
  return (socket) => {
    const address = networkOf(socket.remoteAddress ?? "") ?? "unknown";
    const sockets = open.get(address) ?? new Set();
    // A connection whose offer of another protocol was not taken is announced once more.
    if (sockets.has(socket)) return;
    if (sockets.size >= max) return void socket.destroy();
    open.set(address, sockets.add(socket));
    socket.once("close", () => {
      sockets.delete(socket);
      if (sockets.size === 0) open.delete(address);
    });
  };
}
