import type { ReadableStream } from "node:stream/web";
import type { TokenCredential } from "@azure/identity";
import { AzureOpenAI, type ClientOptions, OpenAI } from "openai";
import { TransportError } from "./interruptions.js";
import { createTokenSource, scopeOf } from "./sign-in.js";
import type { ModelConnection } from "./types.js";

/** The way to one deployment. */
export interface Wire {
  /** Resolves when a request can be signed. Rejects with SignInError. */
  signIn(): Promise<void>;
  /** Sends a JSON body once and resolves to a response with a status of 2xx; rejects with the SDK's error otherwise. */
  send(body: Uint8Array, signal: AbortSignal): Promise<Response>;
}

/** In UTF-16 units: more than any error object needs; a proxy's page of HTML is cut. */
const maxErrorLength = 64 * 1024;

export function createWire(connection: ModelConnection, credential: TokenCredential | undefined): Wire {
  const { auth } = connection;
  const credentials =
    auth.kind === "api-key" ? auth.apiKey : createTokenSource(scopeOf(connection.apiVersion), credential);
  const client = createClient(connection, credentials);
  const headers = { "content-type": "application/json" };
  return {
    signIn: async () => {
      if (typeof credentials === "function") await credentials();
    },
    send: (body, signal) => client.post("/chat/completions", { body, headers, signal }).asResponse(),
  };
}

function createClient(connection: ModelConnection, credentials: string | (() => Promise<string>)): OpenAI {
  const endpoint = connection.endpoint.replace(/\/+$/, "");
  const options = sdkOptions(connection);
  if (connection.apiVersion === "v1") {
    return new OpenAI({ ...options, baseURL: `${endpoint}/openai/v1/`, apiKey: credentials });
  }
  return new AzureOpenAI({
    ...options,
    baseURL: `${endpoint}/openai`,
    apiVersion: connection.apiVersion,
    deployment: encodeURIComponent(connection.deployment),
    // An empty key beside a token provider: absent, the SDK takes AZURE_OPENAI_API_KEY and then refuses the pair.
    ...(typeof credentials === "string"
      ? { apiKey: credentials }
      : { apiKey: "", azureADTokenProvider: credentials }),
  });
}

// Everything that the SDK would else look up in the environment is given here.
function sdkOptions(connection: ModelConnection) {
  return {
    organization: null,
    project: null,
    adminAPIKey: null,
    webhookSecret: null,
    logLevel: "off",
    maxRetries: 0,
    // The call's own limits come first; this one only must not come before them.
    timeout: Math.min(Math.ceil(connection.totalTimeoutMs) + 60_000, 2 ** 31 - 1),
    fetch: boundedFetch,
  } satisfies ClientOptions;
}

/**
 * fetch, with errors that keep their network code (the SDK loses it for what looks like a time-out), no redirects (they
 * would carry the key to another host), and error bodies of a bounded size.
 */
async function boundedFetch(input: string | URL | Request, init?: RequestInit): Promise<Response> {
  try {
    const response = await fetch(input, { ...init, redirect: "manual" });
    return response.ok ? response : await boundError(response);
  } catch (error) {
    throw new TransportError(networkCode(error));
  }
}

async function boundError(response: Response): Promise<Response> {
  const body = normalizeErrorBody(await readStart(response.body));
  // fetch has undone the encoding, and the length is another one now.
  const headers = new Headers(response.headers);
  headers.delete("content-encoding");
  headers.delete("content-length");
  return new Response(body === "" ? null : body, { status: response.status, headers });
}

async function readStart(body: ReadableStream<Uint8Array> | null): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  try {
    for await (const bytes of body ?? []) {
      text += decoder.decode(bytes, { stream: true });
      if (text.length > maxErrorLength) break;
    }
  } catch {
    // The status is known, and says more than that the connection broke within the explanation.
  }
  return text;
}

/** The gateway in front of the model sends `{statusCode, message}` without the `error` around it that the SDK looks for. */
function normalizeErrorBody(text: string): string {
  try {
    const body: unknown = JSON.parse(text);
    const bare = typeof body === "object" && body !== null && !("error" in body) && "message" in body;
    return bare ? JSON.stringify({ error: body }) : text;
  } catch {
    return text;
  }
}

/** Node's or undici's code for what happened, looked for in all causes; null where there is none. */
export function networkCode(error: unknown, depth = 0): string | null {
  if (depth > 5 || typeof error !== "object" || error === null) return null;
  if ("code" in error && typeof error.code === "string") return error.code;
  const causes: unknown[] = "errors" in error && Array.isArray(error.errors) ? error.errors : [];
  for (const cause of ["cause" in error ? error.cause : null, ...causes]) {
    const code = networkCode(cause, depth + 1);
    if (code !== null) return code;
  }
  return null;
}
