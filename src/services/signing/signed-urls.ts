import { createHmac, timingSafeEqual } from "node:crypto";
import type { SigningKeyRow } from "../../db/rows.js";
import { ParleyError } from "../../errors.js";
import type { SigningKeys } from "./signing-keys.js";

/** What a URL lets its bearer do: hear a clip, or hand in the bytes of an upload. A signature is good for one alone. */
export type SignedPurpose = "audio" | "upload";

export interface SignedGrant {
  purpose: SignedPurpose;
  /** The id of the clip or the upload. */
  objectId: string;
  /** Whose rows are read. */
  viewerId: string;
  /** When it ends, in whole seconds since 1970. */
  expires: number;
}

/** What came behind the question mark, as it came: nothing of it is checked yet. */
export type UrlQuery = Readonly<Record<string, unknown>>;

/**
 * URLs that carry who may use them, so that players and plain HTTP clients need no header. The signature is checked
 * before any row of a viewer is read, and says nothing of whether the object is there.
 */
export class SignedUrls {
  readonly #keys: SigningKeys;

  constructor(keys: SigningKeys) {
    this.#keys = keys;
  }

  /** The query of the URL, without a question mark. */
  async sign(grant: SignedGrant): Promise<string> {
    const key = await this.#keys.current();
    return new URLSearchParams({
      expires: String(grant.expires),
      viewer: grant.viewerId,
      key: key.id,
      signature: signatureOf(grant, key),
    }).toString();
  }

  /** @throws ParleyError FORBIDDEN where it was not signed by one of this database's servers, was changed, or has ended */
  async verify(purpose: SignedPurpose, objectId: string, query: UrlQuery): Promise<SignedGrant> {
    const { expires, viewer: viewerId, key: keyId, signature } = query;
    if (typeof expires !== "string" || !/^[1-9]\d{0,11}$/.test(expires)) throw noLongerGood();
    if (typeof viewerId !== "string" || typeof keyId !== "string" || typeof signature !== "string")
      throw noLongerGood();
    const grant = { purpose, objectId, viewerId, expires: Number(expires) };
    const key = await this.#keys.find(keyId);
    if (key === null || !isSame(signatureOf(grant, key), signature)) throw noLongerGood();
    if (grant.expires * 1000 <= Date.now()) throw noLongerGood();
    return grant;
  }
}

/** Over a text that no other grant has: JSON tells where each part ends. */
function signatureOf(
  { purpose, objectId, viewerId, expires }: SignedGrant,
  { secret }: SigningKeyRow,
): string {
  return createHmac("sha256", Buffer.from(secret, "base64"))
    .update(JSON.stringify([purpose, objectId, viewerId, expires]))
    .digest("base64url");
}

/** Compares the texts, not their bytes: several texts of base64 can stand for the same bytes. */
function isSame(expected: string, given: string): boolean {
  const [left, right] = [Buffer.from(expected), Buffer.from(given)];
  return left.byteLength === right.byteLength && timingSafeEqual(left, right);
}

function noLongerGood(): ParleyError {
  return new ParleyError(
    "FORBIDDEN",
    "This URL has ended or is not as it was given out: ask the API for it anew.",
  );
}
