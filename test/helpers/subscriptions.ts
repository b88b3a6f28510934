import { createClient } from "graphql-ws";
import { WebSocket } from "ws";
import type { GraphqlError } from "./parley.js";

export type Transport = "websocket" | "multipart";
export const transports: Transport[] = ["websocket", "multipart"];

export interface EventResult<Data> {
  data?: Data | null;
  errors?: GraphqlError[];
}

/** A subscription's results as they come. Leaving the loop, or `return`, hangs up. */
export type Results<Data> = AsyncGenerator<EventResult<Data>, void, undefined>;

/** Subscribes at the server with the origin. An error before the first event comes as a result, too. */
export function subscribe<Data>(
  transport: Transport,
  origin: string,
  query: string,
  variables: object = {},
  headers: Record<string, string> = {},
): Results<Data> {
  return transport === "websocket"
    ? overWebSocket<Data>(origin, query, variables, headers)
    : overMultipart<Data>(origin, query, variables, headers);
}

async function* overWebSocket<Data>(
  origin: string,
  query: string,
  variables: object,
  connectionParams: Record<string, string>,
): Results<Data> {
  const url = `${origin.replace("http", "ws")}/graphql`;
  const client = createClient({
    url,
    webSocketImpl: WebSocket,
    retryAttempts: 0,
    lazy: true,
    connectionParams,
  });
  const results = client.iterate<Data>({ query, variables: { ...variables } });
  try {
    for await (const result of results) yield result as EventResult<Data>;
  } catch (error) {
    // What is refused before the first event comes as a list of GraphQL errors.
    if (!Array.isArray(error)) throw error;
    yield { errors: error as GraphqlError[] };
  } finally {
    await client.dispose();
  }
}

async function* overMultipart<Data>(
  origin: string,
  query: string,
  variables: object,
  credentials: Record<string, string>,
): Results<Data> {
  const hangUp = new AbortController();
  const response = await fetch(`${origin}/graphql`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      accept: "multipart/mixed;subscriptionSpec=1.0",
      ...credentials,
    },
    body: JSON.stringify({ query, variables }),
    signal: hangUp.signal,
  });
  try {
    if (!response.headers.get("content-type")?.startsWith("multipart/mixed")) {
      yield (await response.json()) as EventResult<Data>;
      return;
    }
    for await (const part of partsOf(response)) {
      const { payload, errors } = JSON.parse(part) as {
        payload?: EventResult<Data> | null;
        errors?: GraphqlError[];
      };
      if (errors !== undefined) yield { errors };
      else if (payload != null) yield payload;
    }
  } finally {
    hangUp.abort();
  }
}

/** The bodies of the parts, each as soon as it has come; ends at the closing boundary. */
async function* partsOf(response: Response): AsyncGenerator<string, void, undefined> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const bytes of response.body as AsyncIterable<Uint8Array>) {
    text += decoder.decode(bytes, { stream: true });
    const pieces = text.split(/\r\n--graphql/);
    text = pieces.pop() ?? "";
    for (const piece of pieces) {
      const body = piece.slice(piece.indexOf("\r\n\r\n") + 4).trim();
      if (body !== "") yield body;
    }
    // The closing boundary.
    if (text.startsWith("--")) return;
  }
  throw new Error(`the stream broke off: ${text}`);
}
