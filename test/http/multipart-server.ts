import Fastify from "fastify";
import type { FastifyInstance } from "fastify";
import { pino } from "pino";
import { connect } from "node:net";
import type { Socket } from "node:net";
import { ParleyError } from "../../src/errors.js";
import { registerHttpErrors } from "../../src/http/http-errors.js";
import { registerMultipart } from "../../src/http/multipart.js";
import type { MultipartLimits } from "../../src/http/multipart-form.js";
import { withoutReadingOn } from "../../src/http/unread-body.js";
import type { IncomingFile } from "../../src/services/audio/incoming-audio.js";

export type Upload = Promise<IncomingFile>;
export type Resolve = (variables: Record<string, Upload>) => Promise<unknown>;

export interface MultipartServer {
  url: string;
  port: number;
  /** Bytes that the server took from its connections, so far. */
  receivedBytes(): number;
  close(): Promise<void>;
}

interface Operations {
  variables: Record<string, Upload>;
}

/** A server whose only operation is `resolve`; what that throws is answered the way GraphQL answers it. */
export async function startServer(limits: MultipartLimits, resolve: Resolve): Promise<MultipartServer> {
  const app = Fastify({ forceCloseConnections: true });
  registerHttpErrors(app, pino({ level: "silent" }));
  await app.register((scope: FastifyInstance, _options: object, done: () => void) => {
    registerMultipart(scope, limits);
    scope.addHook("onSend", withoutReadingOn);
    scope.post<{ Body: Operations }>("/graphql", (request) => answer(resolve, request.body.variables));
    done();
  });
  const sockets: Socket[] = [];
  app.server.on("connection", (socket) => void sockets.push(socket));
  const url = await app.listen({ port: 0, host: "127.0.0.1" });
  return {
    url: `${url}/graphql`,
    port: Number(new URL(url).port),
    receivedBytes: () => sockets.reduce((sum, socket) => sum + socket.bytesRead, 0),
    close: () => app.close(),
  };
}

async function answer(resolve: Resolve, variables: Record<string, Upload>): Promise<unknown> {
  try {
    return { data: await resolve(variables) };
  } catch (error) {
    return { errors: [{ message: String(error), extensions: { code: codeOf(error) } }] };
  }
}

export function codeOf(error: unknown): string {
  return error instanceof ParleyError ? error.code : `not a ParleyError: ${String(error)}`;
}

export async function readAll(upload: Upload | undefined): Promise<Buffer> {
  if (upload === undefined) throw new Error("there is no such variable");
  const chunks: Uint8Array[] = [];
  for await (const chunk of (await upload).stream as AsyncIterable<Uint8Array>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

export const boundary = "----parley-test";
const contentType = `multipart/form-data; boundary=${boundary}`;

export interface Part {
  name: string;
  content: string | Uint8Array;
  filename?: string;
}

export function field(name: string, value: unknown): Part {
  return { name, content: typeof value === "string" ? value : JSON.stringify(value) };
}

export function file(name: string, content: string | Uint8Array): Part {
  return { name, content, filename: `${name}.wav` };
}

export function partHead({ name, filename }: Part): string {
  const disposition = `form-data; name="${name}"${filename === undefined ? "" : `; filename="${filename}"`}`;
  return `--${boundary}\r\nContent-Disposition: ${disposition}\r\n\r\n`;
}

export const lastBoundary = `--${boundary}--\r\n`;

export function encode(parts: readonly Part[]): Buffer {
  const encoded = parts.flatMap((part) => [partHead(part), part.content, "\r\n"]);
  return Buffer.concat([...encoded, lastBoundary].map((piece) => Buffer.from(piece)));
}

/** Operations with a variable for each file part, and the map that goes with them. */
export function operationsFor(...names: string[]): Part[] {
  const variables = Object.fromEntries(names.map((name) => [name, null]));
  const map = Object.fromEntries(names.map((name) => [name, [`variables.${name}`]]));
  return [field("operations", { query: "mutation", variables }), field("map", map)];
}

export const headers = { "content-type": contentType, "apollo-require-preflight": "true" };

export interface GraphqlAnswer {
  status: number;
  connection: string | null;
  data: unknown;
  code: string | null;
  message: string;
}

interface AnswerBody {
  data?: unknown;
  errors?: { message: string; extensions: { code: string } }[];
}

export async function post(
  { url }: MultipartServer,
  body: NonNullable<RequestInit["body"]>,
  sent: Record<string, string> = headers,
): Promise<GraphqlAnswer> {
  const response = await fetch(url, { method: "POST", headers: sent, body, duplex: "half" });
  const answered = (await response.json()) as AnswerBody;
  const [error] = answered.errors ?? [];
  return {
    status: response.status,
    connection: response.headers.get("connection"),
    data: answered.data ?? null,
    code: error?.extensions.code ?? null,
    message: error?.message ?? "",
  };
}

export function head(bodyHeaders: Record<string, string | number>): string {
  const lines = Object.entries({ host: "127.0.0.1", ...headers, ...bodyHeaders });
  return `POST /graphql HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n`;
}

/** A connection on which the test itself writes HTTP. */
export function rawConnection({ port }: MultipartServer) {
  const socket = connect(port, "127.0.0.1");
  const received: Buffer[] = [];
  socket.on("data", (bytes: Buffer) => void received.push(bytes));
  socket.on("error", () => undefined);
  const closed = new Promise<string>((resolve) => {
    socket.on("close", () => resolve(Buffer.concat(received).toString()));
  });
  return { socket, closed };
}
