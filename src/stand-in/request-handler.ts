import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Logger } from "pino";
import { createAnswer, type AnswerSource } from "./answers/answer.js";
import { deliverStream, type Delivery } from "./answers/deliver-stream.js";
import { deliverWhole } from "./answers/deliver-whole.js";
import { checkRequest } from "./checks/check-request.js";
import { checkCredential } from "./credentials.js";
import { FaultSyntaxError, type Fault } from "./faults/fault.js";
import { faultError } from "./faults/fault-error.js";
import { faultHeader, type FaultQueue } from "./faults/fault-queue.js";
import type { Hearing } from "./hearing/hearing.js";
import type { Identity } from "./identity.js";
import { aborted, type Pauses } from "./pauses.js";
import { invalidRequest, ProtocolError, resourceNotFound } from "./protocol-error.js";
import type { RecordedRequest, Recorder } from "./recorder.js";
import { readRequestBody } from "./request-body.js";
import { findRoute, type ChatRoute } from "./routes.js";

export interface HandlerParts extends AnswerSource {
  recorder: Recorder;
  faults: FaultQueue;
  pauses: Pauses;
  identity: Identity | null;
  hearing: Hearing;
  voices: readonly string[];
  logger: Logger;
}

/** One request on its way: what arrived, where the answer goes, and when to stop. */
interface Exchange {
  request: IncomingMessage;
  response: ServerResponse;
  headers: Record<string, string>;
  recorded: RecordedRequest;
  signal: AbortSignal;
}

export type RequestHandler = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

export function createRequestHandler(parts: HandlerParts): RequestHandler {
  return async (request, response) => {
    const exchange = openExchange(parts, request, response);
    try {
      await handle(parts, exchange);
    } catch (error) {
      endWithError(parts, exchange, error);
    }
  };
}

function openExchange(parts: HandlerParts, request: IncomingMessage, response: ServerResponse): Exchange {
  const gone = new AbortController();
  response.once("close", () => gone.abort());
  const route = findRoute(request.method ?? "", request.url ?? "");
  return {
    request,
    response,
    headers: providerHeaders(),
    recorded: parts.recorder.begin(request, response, route),
    signal: gone.signal,
  };
}

async function handle(parts: HandlerParts, exchange: Exchange): Promise<void> {
  const { request } = exchange;
  const route = findRoute(request.method ?? "", request.url ?? "");
  if (route.kind === "chat") return handleChat(parts, exchange, route);
  if (route.kind === "unknown" || parts.identity === null) throw resourceNotFound();
  sendJson(exchange, 200, parts.identity.issue(request.url ?? "", request.headers));
}

async function handleChat(parts: HandlerParts, exchange: Exchange, route: ChatRoute): Promise<void> {
  const { recorded, signal } = exchange;
  checkCredential(recorded.credential, route.api, parts.identity);
  const body = await readRequestBody(exchange.request);
  parts.recorder.recordBody(recorded, body.json, body.byteLength);
  const fault = takeFault(parts, exchange);
  await parts.pauses.reach("before-answer", recorded, signal);
  if (await metBeforeHeaders(fault, exchange)) return;
  const findAudio = fault?.name === "audio-id-expired" ? () => null : parts.audioIds.find;
  const chat = checkRequest(body.json, { route, voices: parts.voices, findAudio });
  const heard = await parts.hearing.listen(chat, signal);
  signal.throwIfAborted();
  const answer = createAnswer(chat, heard, route.api, fault, parts);
  const delivery: Delivery = {
    response: exchange.response,
    headers: { ...exchange.headers, "x-ms-deployment-name": encodeURIComponent(chat.deployment) },
    signal,
    pauseAfterFirstAudio: () => parts.pauses.reach("after-first-audio", recorded, signal),
  };
  return chat.stream ? deliverStream(answer, delivery) : deliverWhole(answer, delivery);
}

function takeFault(parts: HandlerParts, { request, recorded }: Exchange): Fault | null {
  const header = request.headers[faultHeader];
  recorded.fault = parts.faults.take(typeof header === "string" ? header : undefined);
  if (recorded.fault !== null) parts.logger.info({ fault: recorded.fault }, "a fault on demand");
  return recorded.fault;
}

/** Throws the error of a fault that is one; answers true where the fault left the request without any answer. */
async function metBeforeHeaders(fault: Fault | null, { response, signal }: Exchange): Promise<boolean> {
  const error = fault === null ? null : faultError(fault);
  if (error !== null) throw error;
  if (fault?.name === "stall" && fault.at === "before-headers") {
    await aborted(signal);
    return true;
  }
  if (fault?.name !== "cut" || fault.at !== "before-headers") return false;
  response.destroy(new Error("Cut on demand."));
  return true;
}

function endWithError(parts: HandlerParts, exchange: Exchange, error: unknown): void {
  if (exchange.signal.aborted) return;
  const refusal = asProtocolError(error);
  if (refusal === null) parts.logger.error({ err: error }, "the stand-in could not answer");
  if (exchange.response.headersSent) {
    exchange.response.destroy(new Error("The answer failed after its headers."));
    return;
  }
  if (refusal === null) sendJson(exchange, 500, internalError);
  else sendJson(exchange, refusal.status, refusal.body, refusal.headers);
}

function asProtocolError(error: unknown): ProtocolError | null {
  if (error instanceof ProtocolError) return error;
  return error instanceof FaultSyntaxError
    ? invalidRequest(error.message, faultHeader, "invalid_value")
    : null;
}

const internalError = {
  error: { message: "The stand-in failed; its log says why.", type: "server_error", param: null, code: null },
};

function sendJson(
  { response, headers }: Exchange,
  status: number,
  body: Record<string, unknown>,
  more: Record<string, string> = {},
): void {
  const bytes = Buffer.from(JSON.stringify(body));
  response.writeHead(status, {
    ...headers,
    ...more,
    "content-type": "application/json",
    "content-length": String(bytes.byteLength),
  });
  response.end(bytes);
}

function providerHeaders(): Record<string, string> {
  return {
    server: "parley-stand-in",
    "apim-request-id": randomUUID(),
    "x-request-id": randomUUID(),
    "x-ms-region": "Stand-in",
    "x-ratelimit-limit-requests": "1000",
    "x-ratelimit-remaining-requests": "999",
    "x-ratelimit-limit-tokens": "1000000",
    "x-ratelimit-remaining-tokens": "999000",
  };
}
