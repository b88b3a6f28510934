import type { TokenCredential } from "@azure/identity";
import { SignInError, untilStopped } from "./interruptions.js";

/** Answers a token for the scope, a kept one while it is valid. Rejects with SignInError only. */
export type TokenSource = () => Promise<string>;

/** One resource, two audiences: each API takes tokens for its own. */
export function scopeOf(apiVersion: string): string {
  return apiVersion === "v1"
    ? "https://ai.azure.com/.default"
    : "https://cognitiveservices.azure.com/.default";
}

/**
 * Keyless sign-in with the credential, or with DefaultAzureCredential: what runs on a developer's machine (`az login`)
 * and on Azure (managed identity). Nothing is loaded or asked before the first token is wanted; each asking ends within `timeoutMs`.
 */
export function createTokenSource(
  scope: string,
  credential: TokenCredential | undefined,
  timeoutMs = 10_000,
): TokenSource {
  let provider: Promise<TokenSource> | null = null;
  return async () => {
    try {
      provider ??= createProvider(scope, credential, timeoutMs);
      return await (
        await provider
      )();
    } catch (cause) {
      throw cause instanceof SignInError ? cause : new SignInError("No token could be had.", { cause });
    }
  };
}

async function createProvider(
  scope: string,
  given: TokenCredential | undefined,
  timeoutMs: number,
): Promise<TokenSource> {
  // Loaded here because it takes a fifth of a second, which no one with a key has to wait.
  const { DefaultAzureCredential, getBearerTokenProvider } = await import("@azure/identity");
  // By default a managed-identity endpoint that refuses is asked again for 17 seconds.
  const retryOptions = { maxRetries: 1, retryDelayInMs: 300, maxRetryDelayInMs: 1_000 };
  const credential = given ?? new DefaultAzureCredential({ retryOptions });
  return getBearerTokenProvider(limitTime(credential, timeoutMs), scope);
}

function limitTime(credential: TokenCredential, timeoutMs: number): TokenCredential {
  return {
    getToken: async (scopes, options) => {
      const limit = new AbortController();
      const timer = setTimeout(() => limit.abort(), timeoutMs);
      try {
        const token = credential.getToken(scopes, { ...options, abortSignal: limit.signal });
        return await untilStopped(token, limit.signal);
      } catch (cause) {
        throw limit.signal.aborted ? new SignInError(`No token came within ${timeoutMs} ms.`) : cause;
      } finally {
        clearTimeout(timer);
      }
    },
  };
}
