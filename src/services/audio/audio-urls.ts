import type { SignedUrls } from "../signing/signed-urls.js";
import { clipUrl } from "./clip-url.js";

export interface AudioUrlsParts {
  /** Null where nobody has to sign in: then a clip's plain address is enough. */
  signedUrls: SignedUrls | null;
  /** How long a signed URL is good for at least, in milliseconds; twice that at most. */
  ttlMs: number;
}

/** Where a viewer hears clips. */
export class AudioUrls {
  readonly #parts: AudioUrlsParts;

  constructor(parts: AudioUrlsParts) {
    this.#parts = parts;
  }

  /** `origin` has no slash at its end. */
  async urlOf(origin: string, viewerId: string, clip: { id: string; format: string }): Promise<string> {
    const { signedUrls, ttlMs } = this.#parts;
    const url = clipUrl(origin, clip);
    if (signedUrls === null) return url;
    const expires = endOfUrl(Date.now(), ttlMs);
    return `${url}?${await signedUrls.sign({ purpose: "audio", objectId: clip.id, viewerId, expires })}`;
  }
}

/**
 * In whole seconds since 1970, at the end of the next window, as long as `ttlMs`: within a window a clip has one URL,
 * so that caches and players don't take it for another clip each time it is read.
 */
export function endOfUrl(nowMs: number, ttlMs: number): number {
  const ttlSeconds = Math.ceil(ttlMs / 1000);
  return Math.ceil((nowMs / 1000 + ttlSeconds) / ttlSeconds) * ttlSeconds;
}
