import { createCompletionClient } from "../../src/azure/client.js";
import type { CompletionClientOptions } from "../../src/azure/client.js";
import type {
  CompletionOptions,
  CompletionRequest,
  CompletionResult,
  ModelConnection,
  ModelEvent,
} from "../../src/azure/types.js";

export const spoken = { kind: "audio", voice: "alloy", format: "pcm16" } as const;
export const written = { kind: "text" } as const;

export function requestFor(
  output: CompletionRequest["output"],
  more: Partial<CompletionRequest> = {},
): CompletionRequest {
  const messages: CompletionRequest["messages"] = [
    { role: "user", parts: [{ type: "text", text: "Hello?" }] },
  ];
  return { messages, output, maxTokens: null, temperature: null, ...more };
}

export function connectionTo(endpoint: string, more: Partial<ModelConnection> = {}): ModelConnection {
  return {
    endpoint,
    deployment: "talker",
    apiVersion: "2025-01-01-preview",
    auth: { kind: "api-key", apiKey: "key-1" },
    idleTimeoutMs: 10_000,
    totalTimeoutMs: 20_000,
    ...more,
  };
}

export interface Told {
  result: CompletionResult;
  transcript: string;
  text: string;
  audio: Buffer;
  events: ModelEvent[];
  log: { fields: Record<string, unknown>; message: string }[];
}

export interface CallSettings {
  connection: ModelConnection;
  client?: Partial<CompletionClientOptions>;
  options?: Partial<CompletionOptions>;
}

/** Makes one call, and keeps what it handed on and logged. */
export async function call(request: CompletionRequest, settings: CallSettings): Promise<Told> {
  const events: ModelEvent[] = [];
  const log: Told["log"] = [];
  const logger = {
    warn: (fields: Record<string, unknown>, message: string) => void log.push({ fields, message }),
  };
  const client = createCompletionClient(settings.connection, { logger, random: () => 0, ...settings.client });
  const result = await client.complete(request, {
    signal: new AbortController().signal,
    onEvent: (event) => {
      events.push(event);
      return Promise.resolve();
    },
    ...settings.options,
  });
  const words = (type: "text" | "transcript") =>
    events.flatMap((event) => (event.type === type ? [event.delta] : [])).join("");
  const audio = Buffer.concat(events.flatMap((event) => (event.type === "audio" ? [event.bytes] : [])));
  return { result, transcript: words("transcript"), text: words("text"), audio, events, log };
}
