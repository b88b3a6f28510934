import type { TokenCredential } from "@azure/identity";
import { type CallLog, CompletionCall } from "./call.js";
import { type RetryPolicy, defaultRetryPolicy } from "./retry.js";
import type { CompletionClient, ModelConnection } from "./types.js";
import { createWire } from "./wire.js";

export interface CompletionClientOptions {
  logger: CallLog;
  /** Signs in where the connection is keyless. Default: DefaultAzureCredential. */
  credential?: TokenCredential;
  /** What differs from the default policy. */
  retry?: Partial<RetryPolicy>;
  /** Milliseconds since 1970, for `retry-after` dates. Default: the clock. */
  now?: () => number;
  /** In [0, 1), for the jitter of retries. Default: Math.random. */
  random?: () => number;
}

/**
 * A client for one deployment, over the dated API or v1. Calls share nothing but the sign-in and the pool of
 * connections; any number can run at once.
 */
export function createCompletionClient(
  connection: ModelConnection,
  options: CompletionClientOptions,
): CompletionClient {
  const around = {
    connection,
    wire: createWire(connection, options.credential),
    log: options.logger,
    retry: { ...defaultRetryPolicy, ...options.retry },
    now: options.now ?? Date.now,
    random: options.random ?? Math.random,
  };
  return { complete: (request, callOptions) => new CompletionCall(around, request, callOptions).run() };
}
