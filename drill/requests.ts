import { request } from "node:http";
import type { ClientRequest, IncomingMessage } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import type { ServerRun } from "./server-run.js";

export interface Operation {
  query: string;
  variables: object;
}

export interface GraphqlAnswer<Data> {
  data: Data | null;
  errors: { message: string; extensions?: { code?: string } }[];
}

/** No answer came: whether the request was accepted is not known. */
export class Broken extends Error {
  override readonly name: string = "Broken";
}

/** No answer came although nothing was killed: far longer than anything may take. */
export class Unanswered extends Broken {
  override readonly name = "Unanswered";
}

const patienceMs = 60_000;
const json = { "content-type": "application/json" };

/** Sends an operation as JSON. @throws Broken, and Unanswered after a minute */
export function ask<Data>(
  server: ServerRun,
  operation: Operation,
  { signal, onSent }: { signal?: AbortSignal | undefined; onSent?: () => void } = {},
): Promise<GraphqlAnswer<Data>> {
  return exchange<Data>(server, json, signal, (sending) => {
    sending.end(JSON.stringify(operation), onSent);
    return Promise.resolve();
  });
}

export interface SlowFile {
  /** The variable that it fills. */
  path: string;
  bytes: Uint8Array;
  pieces: number;
  pauseMs: number;
  /** From 0 to 1, after each piece. */
  onProgress: (progress: number) => void;
}

/** Sends an operation with a file by the multipart request spec, piece by piece. @throws Broken */
export function upload<Data>(
  server: ServerRun,
  operation: Operation,
  file: SlowFile,
  signal?: AbortSignal,
): Promise<GraphqlAnswer<Data>> {
  const boundary = "drill-drill-drill";
  const headers = {
    "content-type": `multipart/form-data; boundary=${boundary}`,
    "apollo-require-preflight": "true",
  };
  const part = (disposition: string) =>
    `--${boundary}\r\ncontent-disposition: form-data; ${disposition}\r\n\r\n`;
  const head =
    `${part('name="operations"')}${JSON.stringify(operation)}\r\n` +
    `${part('name="map"')}${JSON.stringify({ 0: [file.path] })}\r\n` +
    part('name="0"; filename="question.wav"');
  return exchange<Data>(server, headers, signal, async (sending) => {
    sending.write(head);
    await writeSlowly(sending, file);
    sending.end(`\r\n--${boundary}--\r\n`);
    file.onProgress(1);
  });
}

async function writeSlowly(sending: ClientRequest, { bytes, pieces, pauseMs, onProgress }: SlowFile) {
  const size = Math.ceil(bytes.byteLength / pieces);
  for (let offset = 0; offset < bytes.byteLength && !sending.destroyed; offset += size) {
    sending.write(bytes.subarray(offset, offset + size));
    onProgress(Math.min(0.99, (offset + size) / bytes.byteLength));
    await delay(pauseMs);
  }
}

function exchange<Data>(
  server: ServerRun,
  headers: Record<string, string>,
  signal: AbortSignal | undefined,
  send: (sending: ClientRequest) => Promise<void>,
): Promise<GraphqlAnswer<Data>> {
  return new Promise((resolve, reject) => {
    const { agent } = server;
    const sending = request(`${server.url}/graphql`, { method: "POST", headers, agent, signal });
    sending.setTimeout(patienceMs, () => sending.destroy(new Unanswered(`no answer in ${patienceMs} ms`)));
    sending.once("error", (error) => reject(toBroken(error)));
    sending.once("response", (response) => {
      readText(response).then(
        (text) => resolve(parseAnswer<Data>(text)),
        (error: unknown) => reject(toBroken(error)),
      );
    });
    send(sending).catch((error: unknown) => sending.destroy(toBroken(error)));
  });
}

function toBroken(error: unknown): Broken {
  return error instanceof Broken ? error : new Broken(String(error), { cause: error });
}

export async function readText(response: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of response as AsyncIterable<Buffer>) pieces.push(piece);
  return Buffer.concat(pieces).toString("utf8");
}

function parseAnswer<Data>(text: string): GraphqlAnswer<Data> {
  const answer = parseObject(text) as Partial<GraphqlAnswer<Data>>;
  return { data: answer.data ?? null, errors: answer.errors ?? [] };
}

function parseObject(text: string): object {
  try {
    return JSON.parse(text) as object;
  } catch {
    return { errors: [{ message: `not JSON: ${text.slice(0, 300)}` }] };
  }
}

/** The bytes at a path of the server; throws where the status is not 200. */
export async function download(server: ServerRun, path: string): Promise<Uint8Array> {
  const response = await fetch(new URL(path, server.url));
  const bytes = new Uint8Array(await response.arrayBuffer());
  if (response.status !== 200) throw new Error(`${path} answers ${response.status}`);
  return bytes;
}
