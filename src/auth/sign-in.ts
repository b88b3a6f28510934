import { ParleyError } from "../errors.js";
import type { Viewer } from "./viewer.js";

/** Somebody who has shown who they are. */
export interface SignIn {
  readonly viewer: Viewer;
  /** When what they showed ends by itself; null where it does not. */
  readonly expiresAt: Date | null;
  /**
   * For connections that stay open: whether what they showed is still good.
   * @throws ParleyError UNAUTHENTICATED where it is not
   */
  recheck(): Promise<void>;
}

/** Tells who sends a request: the same for HTTP, WebSockets and audio. */
export interface Authenticator {
  /** Whether anybody has to sign in at all. */
  readonly required: boolean;
  /**
   * @param credential what came as `Bearer …`; null where nothing came
   * @throws ParleyError UNAUTHENTICATED
   */
  signIn(credential: string | null): Promise<SignIn>;
}

/** Longer than any token of a known issuer. */
const maxCredentialLength = 16_384;

/**
 * The credential of an `Authorization` header; null where there is none.
 * @throws ParleyError UNAUTHENTICATED for another scheme
 */
export function bearerOf(header: string | null | undefined): string | null {
  if (header == null || header === "") return null;
  const credential = /^Bearer +([\w.~+/-]+=*) *$/i.exec(header)?.[1];
  if (credential === undefined || credential.length > maxCredentialLength)
    throw unauthenticated("The Authorization header must be Bearer and a token or key.");
  return credential;
}

export function unauthenticated(message: string): ParleyError {
  return new ParleyError("UNAUTHENTICATED", message);
}

/** Why a token or key is refused, for the log alone; it repeats nothing of what came. */
export class RefusalReason extends Error {
  override readonly name = "RefusalReason";
}

/** Says the same of every credential that is not good, so that nothing can be learnt by trying. */
export function notGood(reason: string): ParleyError {
  const message = "The token or key is not good here, or no more. Sign in again.";
  return new ParleyError("UNAUTHENTICATED", message, { cause: new RefusalReason(reason) });
}
