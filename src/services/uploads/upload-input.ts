import { ParleyError } from "../../errors.js";

export function checkByteLength(byteLength: number, maxBytes: number): number {
  if (byteLength > maxBytes)
    throw new ParleyError("AUDIO_TOO_LARGE", `byteLength may be at most ${maxBytes}.`);
  if (byteLength >= 1) return byteLength;
  throw new ParleyError("BAD_USER_INPUT", `byteLength must be from 1 to ${maxBytes}.`);
}

export function checkSha256(sha256: string | null | undefined): string | null {
  if (sha256 == null || /^[0-9a-f]{64}$/.test(sha256)) return sha256 ?? null;
  throw new ParleyError("BAD_USER_INPUT", "sha256 must be 64 hexadecimal digits in lower case.");
}
