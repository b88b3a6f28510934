import { createClient } from "graphql-ws";
import type { Client } from "graphql-ws";
import WebSocket from "ws";
import { z } from "zod";
import { post } from "../operations.js";

const query = `subscription ($turnId: ID!) {
  turnEvents(turnId: $turnId) {
    __typename
    cursor
    ... on TranscriptDelta { delta }
    ... on AudioDelta { byteOffset base64 }
    ... on TurnEnded { turn { status } }
  }
}`;

const eventShape = z.object({
  __typename: z.string(),
  byteOffset: z.number().optional(),
  base64: z.string().optional(),
});
export type HeardEvent = z.infer<typeof eventShape>;
const resultShape = z.object({ data: z.object({ turnEvents: eventShape }) });

/** Is called with each event, parsed, as it comes. */
export type Hear = (event: HeardEvent) => void;

/** A socket of its own that is open. */
export async function openSocket(graphqlUrl: string): Promise<Client> {
  const url = graphqlUrl.replace(/^http/, "ws");
  const client = createClient({
    url,
    webSocketImpl: WebSocket,
    lazy: false,
    retryAttempts: 0,
    // Who listens is told, too.
    onNonLazyError: () => undefined,
  });
  await new Promise<void>((resolve, reject) => {
    client.on("connected", () => resolve());
    client.on("closed", () => reject(new Error("a socket was closed")));
  });
  return client;
}

export async function leave(clients: readonly Client[]): Promise<void> {
  await Promise.all(clients.map(async (client) => client.dispose()));
}

/** Resolves when the turn's last event was heard. */
export function followBySocket(client: Client, turnId: string, hear: Hear): Promise<void> {
  return new Promise((resolve, reject) => {
    client.subscribe(
      { query, variables: { turnId } },
      {
        next: (result) => hear(resultShape.parse(result).data.turnEvents),
        error: (error) => reject(new Error(`a subscription failed: ${JSON.stringify(error)}`)),
        complete: resolve,
      },
    );
  });
}

const partShape = z.object({ payload: resultShape.optional() });

/** Resolves when the turn's last event was heard. */
export async function followByHttp(graphqlUrl: string, turnId: string, hear: Hear): Promise<void> {
  const accept = "multipart/mixed;subscriptionSpec=1.0";
  const { ok, status, body } = await post(graphqlUrl, { query, variables: { turnId } }, { accept });
  if (!ok || body === null) throw new Error(`a subscription was answered ${status}`);
  const decoder = new TextDecoder();
  let text = "";
  for await (const bytes of body) {
    const parts = (text + decoder.decode(z.instanceof(Uint8Array).parse(bytes), { stream: true })).split(
      "\r\n--graphql",
    );
    text = parts.pop() ?? "";
    for (const part of parts) hearPart(part, hear);
  }
}

function hearPart(part: string, hear: Hear): void {
  const start = part.indexOf("{");
  if (start < 0) return;
  const { payload } = partShape.parse(JSON.parse(part.slice(start)));
  if (payload !== undefined) hear(payload.data.turnEvents);
}
