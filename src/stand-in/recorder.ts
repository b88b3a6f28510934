import { createHash } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { isObject } from "./checks/json.js";
import { readCredential, type Credential } from "./credentials.js";
import type { Fault } from "./faults/fault.js";
import type { Route } from "./routes.js";

/** A request as it was seen, for tests and drills. */
export interface RecordedRequest {
  readonly receivedAt: Date;
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly apiVersion: string | null;
  readonly credential: Credential;
  readonly headers: Readonly<Record<string, string>>;
  /** The parsed body; `input_audio.data` is replaced by `{byteLength, sha256}`. Null where none could be parsed. */
  body: unknown;
  /** The fault that it met, or null. */
  fault: Fault | null;
  /** The status that was answered; null until then. */
  status: number | null;
  /** When the client closed the connection before the answer had ended; null where it did not. */
  disconnectedAt: Date | null;
  /** Resolves when the connection is done with this request, whoever ended it. */
  readonly ended: Promise<RequestEnd>;
}

/** `failed`: the stand-in itself destroyed the connection (the faults `cut`, or its own end). */
export type RequestEnd = "answered" | "disconnected" | "failed";

export interface Recorder {
  readonly requests: RecordedRequest[];
  begin(request: IncomingMessage, response: ServerResponse, route: Route): RecordedRequest;
  recordBody(recorded: RecordedRequest, body: unknown, byteLength: number): void;
}

const maxRequests = 1000;
const maxBodyBytes = 64 * 1024 * 1024;

/** Keeps the last 1,000 requests, and fewer where their bodies (without audio) are over 64 MiB together. */
export function createRecorder(now: () => Date): Recorder {
  const requests: RecordedRequest[] = [];
  const sizes = new WeakMap<RecordedRequest, number>();
  let keptBytes = 0;
  const dropOldest = () => {
    const oldest = requests.shift();
    if (oldest !== undefined) keptBytes -= sizes.get(oldest) ?? 0;
  };
  return {
    requests,
    begin(request, response, route) {
      const recorded = describe(request, response, route, now);
      if (route.kind !== "identity") requests.push(recorded);
      if (requests.length > maxRequests) dropOldest();
      return recorded;
    },
    recordBody(recorded, body, byteLength) {
      const redaction = redact(body, 0);
      const kept = Math.max(0, byteLength - redaction.audioCharacters);
      recorded.body = redaction.value;
      sizes.set(recorded, kept);
      keptBytes += kept;
      while (keptBytes > maxBodyBytes && requests.length > 1) dropOldest();
    },
  };
}

function describe(
  request: IncomingMessage,
  response: ServerResponse,
  route: Route,
  now: () => Date,
): RecordedRequest {
  const recorded: RecordedRequest = {
    receivedAt: now(),
    method: request.method ?? "",
    path: (request.url ?? "").split("?", 1)[0] ?? "",
    apiVersion: route.kind === "identity" ? null : route.apiVersion,
    credential: readCredential(request.headers),
    headers: flatHeaders(request),
    body: null,
    fault: null,
    status: null,
    disconnectedAt: null,
    ended: new Promise((resolve) => response.once("close", () => resolve(noteEnd(recorded, response, now)))),
  };
  return recorded;
}

function noteEnd(recorded: RecordedRequest, response: ServerResponse, now: () => Date): RequestEnd {
  if (response.headersSent) recorded.status = response.statusCode;
  if (response.writableFinished) return "answered";
  if (response.destroyed && response.errored !== null) return "failed";
  recorded.disconnectedAt = now();
  return "disconnected";
}

function flatHeaders(request: IncomingMessage): Record<string, string> {
  const flat: Record<string, string> = {};
  for (const [name, value] of Object.entries(request.headers)) {
    flat[name] = Array.isArray(value) ? value.join(", ") : (value ?? "");
  }
  return flat;
}

interface Redaction {
  value: unknown;
  audioCharacters: number;
}
const maxDepth = 32;

function redact(value: unknown, depth: number): Redaction {
  if (depth > maxDepth) return { value: null, audioCharacters: 0 };
  if (Array.isArray(value)) {
    const items = value.map((item: unknown) => redact(item, depth + 1));
    return { value: items.map((item) => item.value), audioCharacters: sum(items) };
  }
  if (!isObject(value)) return { value, audioCharacters: 0 };
  const entries = Object.entries(value).map(
    ([name, item]) => [name, redactProperty(name, item, depth)] as const,
  );
  return {
    value: Object.fromEntries(entries.map(([name, item]) => [name, item.value])),
    audioCharacters: sum(entries.map(([, item]) => item)),
  };
}

function redactProperty(name: string, value: unknown, depth: number): Redaction {
  if (name !== "data" || typeof value !== "string") return redact(value, depth + 1);
  const bytes = Buffer.from(value, "base64");
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  return { value: { byteLength: bytes.byteLength, sha256 }, audioCharacters: value.length };
}

function sum(items: readonly Redaction[]): number {
  return items.reduce((total, item) => total + item.audioCharacters, 0);
}
