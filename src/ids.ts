import { randomInt } from "node:crypto";
import { monotonicFactory } from "ulid";

export type IdPrefix =
  "conv" | "turn" | "msg" | "clip" | "call" | "key" | "del" | "req" | "srv" | "apikey" | "sk" | "upl";

// randomInt reads the system's randomness in blocks; ulid's own source asks it for each character.
const nextUlid = monotonicFactory(() => randomInt(0x1_0000_0000) / 0x1_0000_0000);

/** A new global id, `conv_01K…`: ids of one process sort in the order in which they were made, others by millisecond. */
export function newId(prefix: IdPrefix): string {
  return `${prefix}_${nextUlid()}`;
}

/** The type prefix of a well-formed id; null for anything else, so that no malformed text reaches the database. */
export function idPrefix(id: string): string | null {
  return /^([a-z]{2,6})_[0-9A-HJKMNP-TV-Z]{26}$/.exec(id)?.[1] ?? null;
}

export function isId(prefix: IdPrefix, id: string): boolean {
  return idPrefix(id) === prefix;
}
