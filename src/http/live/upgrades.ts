import { STATUS_CODES } from "node:http";
import type { IncomingMessage, Server } from "node:http";
import type { Duplex } from "node:stream";
import { ParleyError } from "../../errors.js";
import { newId } from "../../ids.js";
import { extensionsOf } from "../error-format.js";
import { refuseForeignHost } from "../host-check.js";
import { statusOf } from "../http-errors.js";
import { plainHeaders } from "../security-headers.js";
import type { LiveSettings } from "./settings.js";

export interface UpgradeOptions {
  path: string;
  http: LiveSettings["http"];
  /** Rejects with a ParleyError where too many sockets are asked for. */
  admit: (request: IncomingMessage) => Promise<void>;
  /** Why no socket is opened for anybody; null while they are opened. */
  refusal: () => ParleyError | null;
  open: (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
}

/** Opens WebSockets at the path, for the server's own pages, listed origins and programs; all else hears why not. */
export function acceptUpgrades(server: Server, options: UpgradeOptions): void {
  server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    if (request.headers.upgrade?.toLowerCase() !== "websocket") {
      return answerWithoutUpgrade(server, request, socket, head);
    }
    answerUpgrade(request, socket, head, options).catch(() => socket.destroy());
  });
}

async function answerUpgrade(
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  options: UpgradeOptions,
): Promise<void> {
  const hangUp = () => socket.destroy();
  // Node listens to no errors any more.
  socket.on("error", hangUp);
  const refusal = await refusalOf(request, options);
  socket.off("error", hangUp);
  if (refusal === null) options.open(request, socket, head);
  else refuse(socket, refusal, plainHeaders(options.http.publicUrl));
}

async function refusalOf(request: IncomingMessage, options: UpgradeOptions): Promise<ParleyError | null> {
  const foreign = refusalOfPlace(request, options);
  if (foreign !== null) return foreign;
  try {
    await options.admit(request);
    return options.refusal();
  } catch (error) {
    if (error instanceof ParleyError) return error;
    throw error;
  }
}

function refusalOfPlace(request: IncomingMessage, { path, http }: UpgradeOptions): ParleyError | null {
  const { host, origin } = request.headers;
  const foreign = refuseForeignHost(host, http.publicUrl);
  if (foreign !== null) return foreign;
  if (request.url?.split("?")[0] !== path)
    return new ParleyError("NOT_FOUND", `There is no WebSocket here. Subscriptions are at ${path}.`);
  if (isWelcomeOrigin(origin, host, http)) return null;
  return new ParleyError(
    "FORBIDDEN",
    "Pages of this origin may not open a socket. List the origin in CORS_ORIGINS.",
  );
}

/**
 * Browsers let a page of any site open a socket to any server, so CORS does not help here. They always name the page's
 * origin; what names none is no browser.
 */
function isWelcomeOrigin(
  origin: string | undefined,
  host: string | undefined,
  { publicUrl, corsOrigins }: LiveSettings["http"],
): boolean {
  if (origin === undefined || origin === publicUrl?.origin || corsOrigins.includes(origin)) return true;
  // A proxy may have taken TLS off, so either scheme is the server's own.
  return ["http", "https"].some((scheme) => new URL(`${scheme}://${host ?? ""}`).origin === origin);
}

/** In GraphQL's form, as all errors over HTTP. */
function refuse(socket: Duplex, error: ParleyError, headers: Record<string, string>): void {
  const requestId = newId("req");
  const extensions = extensionsOf(error, requestId);
  const body = JSON.stringify({ errors: [{ message: error.message, extensions }] });
  const status = statusOf(error);
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}`,
    "content-type: application/json; charset=utf-8",
    `content-length: ${Buffer.byteLength(body)}`,
    `x-request-id: ${requestId}`,
    ...(error.retryAfterMs === null ? [] : [`retry-after: ${Math.ceil(error.retryAfterMs / 1000)}`]),
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    "connection: close",
  ];
  socket.on("error", () => socket.destroy());
  socket.end(`${head.join("\r\n")}\r\n\r\n${body}`, () => socket.destroy());
}

/**
 * Some clients offer HTTP/2 with each request (Java's, for one: `Upgrade: h2c`), and a server may just answer without
 * it. Node does so only where nobody listens for upgrades; here the request is read once more without the offer.
 */
function answerWithoutUpgrade(server: Server, request: IncomingMessage, socket: Duplex, head: Buffer): void {
  const lines = [`${request.method ?? ""} ${request.url ?? ""} HTTP/${request.httpVersion}`];
  for (let index = 0; index < request.rawHeaders.length; index += 2) {
    const [name = "", value = ""] = request.rawHeaders.slice(index, index + 2);
    const kept = name.toLowerCase() === "connection" ? withoutOffer(value) : value;
    if (!offerHeaders.includes(name.toLowerCase())) lines.push(`${name}: ${kept}`);
  }
  // Node reads the bytes of headers as Latin-1.
  socket.unshift(Buffer.concat([Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1"), head]));
  server.emit("connection", socket);
}

const offerHeaders = ["upgrade", "http2-settings"];

function withoutOffer(connection: string): string {
  const options = connection.split(",").map((option) => option.trim());
  return options.filter((option) => !offerHeaders.includes(option.toLowerCase())).join(", ");
}
