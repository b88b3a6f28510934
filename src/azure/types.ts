/** A request to an audio chat model, free of conversations: messages in, and the form in which the answer should come. */
export interface CompletionRequest {
  messages: ModelMessage[];
  output: ModelOutput;
  /** Sent as max_completion_tokens; null leaves it out. */
  maxTokens: number | null;
  /** Null leaves it out: the provider's default. */
  temperature: number | null;
}

/**
 * `audio` always asks for text and audio together: audio alone is refused. `pcm16` is streamed; every other format is
 * asked for whole, because the provider streams nothing else.
 */
export type ModelOutput = { kind: "text" } | { kind: "audio"; voice: string; format: ModelAudioFormat };
export type ModelAudioFormat = "pcm16" | "mp3" | "flac" | "opus" | "aac";

export type ModelMessage =
  | { role: "system"; text: string }
  | { role: "user"; parts: UserPart[] }
  | { role: "assistant"; text: string }
  | { role: "assistant"; providerAudioId: string };

export type UserPart = { type: "text"; text: string } | UserAudioPart;

export interface UserAudioPart {
  type: "audio";
  format: "wav" | "mp3";
  byteLength: number;
  /**
   * Opens the bytes; called once for a request, however often it is sent. More or fewer than `byteLength` bytes end
   * the call before anything is sent: `complete` rejects.
   */
  open(): Promise<AsyncIterable<Uint8Array>>;
}

/** A piece of the answer, in the order in which it came. `audio` is PCM for `pcm16`, else the file's own bytes. */
export type ModelEvent =
  | { type: "transcript"; delta: string }
  | { type: "text"; delta: string }
  | { type: "audio"; bytes: Uint8Array };

export interface CompletionOptions {
  /** Aborting closes the connection; the result is then `cancelled`. */
  signal: AbortSignal;
  /** Awaited before the next piece is read, so that a slow sink holds the stream back. If it throws, the call ends and `complete` rejects. */
  onEvent: (event: ModelEvent) => Promise<void>;
  /** Called once, just before the first attempt whose request may be billed is sent. */
  onBegin?: () => Promise<void>;
}

/**
 * What is known of a call when it has ended, however it ended. `complete` resolves to it, and rejects only with what the
 * caller's own part threw: the sink, `onBegin`, a source of audio (or with an error that is a mistake of this program).
 */
export interface CompletionResult {
  end: CompletionEnd;
  /** The model as the provider names it; null where no answer began. */
  model: string | null;
  /** `apim-request-id`, else `x-request-id`; null where no response came. */
  providerRequestId: string | null;
  /** The `id` of the completion. */
  completionId: string | null;
  /** As the provider told it: stop, length, content_filter; null where it told none. */
  finishReason: string | null;
  providerAudioId: string | null;
  providerAudioExpiresAt: Date | null;
  /** Null where the provider told none. */
  usage: TokenUsage | null;
  /** From sending the request that was answered to the first audio bytes; null where there were none. */
  timeToFirstAudioMs: number | null;
  /** HTTP requests sent, 1 or more; 0 where cancelled or refused sign-in came before the first. */
  attempts: number;
  /** Whether the model may have been at work: false where no request left or the last one was refused. */
  mayBeBilled: boolean;
}

export type CompletionEnd =
  | { type: "complete" }
  /** The answer was filtered: nothing of it may be kept. */
  | { type: "filtered" }
  | { type: "cancelled" }
  | { type: "failed"; error: ModelFailure };

export interface ModelFailure {
  code: ModelFailureCode;
  /** For a person; without keys, tokens or content. */
  message: string;
  /** Whether the same request can succeed later. */
  retryable: boolean;
  /** When the provider said to come back, in milliseconds from now; null where it said nothing. */
  retryAfterMs: number | null;
  /** The provider's HTTP status; null where there was none. */
  status: number | null;
}

/** AUDIO_ID_NOT_FOUND never leaves the server: the caller rebuilds the request without audio ids. */
export type ModelFailureCode =
  | "CONTENT_FILTERED"
  | "CONTEXT_TOO_LONG"
  | "PROVIDER_REJECTED"
  | "PROVIDER_AUTH_FAILED"
  | "PROVIDER_DEPLOYMENT_NOT_FOUND"
  | "PROVIDER_TIMEOUT"
  | "PROVIDER_RATE_LIMITED"
  | "PROVIDER_UNAVAILABLE"
  | "ANSWER_INCOMPLETE"
  | "AUDIO_ID_NOT_FOUND";

/** Counts that the provider left out are 0. `cachedInput` is part of the input. */
export interface TokenUsage {
  inputText: number;
  inputAudio: number;
  cachedInput: number;
  outputText: number;
  outputAudio: number;
}

export interface CompletionClient {
  complete(request: CompletionRequest, options: CompletionOptions): Promise<CompletionResult>;
}

/** How to reach the model. */
export interface ModelConnection {
  /** The resource's endpoint, without a path: `https://NAME.openai.azure.com`. */
  endpoint: string;
  deployment: string;
  /** `v1`, or a dated version such as `2025-01-01-preview`. */
  apiVersion: string;
  auth: ModelAuth;
  idleTimeoutMs: number;
  totalTimeoutMs: number;
}
export type ModelAuth = { kind: "api-key"; apiKey: string } | { kind: "keyless" };
