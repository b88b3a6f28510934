import { randomBytes } from "node:crypto";
import type { DatabaseClient } from "../../db/database.js";
import type { SigningKeyRow } from "../../db/rows.js";
import { isId, newId } from "../../ids.js";

export interface SigningKeysParts {
  client: DatabaseClient;
  /** The longest time that a signed URL is good for, in milliseconds. */
  longestUrlMs: number;
}

const secretByteLength = 32;
/** How old what is known of the keys may be: so long another server may sign with one that was replaced. */
const refreshMs = 60_000;
/** How often in `refreshMs` a key that is not known is looked up: keys are made once a month, and by operators. */
const maxLookUps = 30;
const rotationMs = 30 * 24 * 60 * 60 * 1000;

type Keys = ReadonlyMap<string, SigningKeyRow>;

/**
 * The keys that URLs are signed with, shared by all servers of a database. The newest one signs. An older one is good
 * until the last URL that was signed by it has ended. Two servers that start together may make one each: every server
 * looks up a key that it does not know.
 */
export class SigningKeys {
  readonly #parts: SigningKeysParts;
  #known: { keys: Keys; readAtMs: number } | null = null;
  #reading: Promise<Keys> | null = null;
  #next: Promise<Keys> | null = null;
  /** When keys were looked up that were not known, in milliseconds. */
  #lookUps: number[] = [];

  constructor(parts: SigningKeysParts) {
    this.#parts = parts;
  }

  /** The key that signs; made where there is none yet. */
  async current(): Promise<SigningKeyRow> {
    return newestOf(await this.#recent()) ?? (await this.#make(null));
  }

  /** The key of this id, which came with a URL; null where it is unknown or good no more. */
  async find(id: string): Promise<SigningKeyRow | null> {
    const known = (await this.#recent()).get(id);
    const key = known ?? (isId("sk", id) ? await this.#lookUp(id) : undefined);
    return key === undefined || hasEnded(key) ? null : key;
  }

  /** Not anew for each of many URLs that name keys which nobody has made. */
  async #lookUp(id: string): Promise<SigningKeyRow | undefined> {
    const now = Date.now();
    this.#lookUps = this.#lookUps.filter((atMs) => now - atMs < refreshMs);
    if (this.#lookUps.length >= maxLookUps) return undefined;
    this.#lookUps.push(now);
    return (await this.#readAnew()).get(id);
  }

  /**
   * Makes a new key, with which this server signs at once and every other one within a minute. URLs that were signed
   * before stay good until they end; with `endOldUrls`, for a key that others have got hold of, they end within a minute.
   */
  async rotate({ endOldUrls = false }: { endOldUrls?: boolean } = {}): Promise<void> {
    const newest = await this.#make(newestOf(await this.#readAnew()));
    if (endOldUrls) await this.#parts.client.signingKey.deleteMany({ where: olderThan(newest) });
    else await this.#retireOlderThan(newest);
    await this.#readAnew();
  }

  /** Makes a new key where the newest is a month old, and removes those that are good no more. Answers how many went. */
  async renew(): Promise<number> {
    const newest = newestOf(await this.#readAnew());
    if (newest === null || Date.now() - newest.createdAt.getTime() >= rotationMs) await this.rotate();
    else await this.#retireOlderThan(newest);
    const { count } = await this.#parts.client.signingKey.deleteMany({
      where: { retiresAt: { lte: new Date() } },
    });
    return count;
  }

  /** Never earlier than the one before it, whatever the clocks of the servers say. */
  async #make(before: SigningKeyRow | null): Promise<SigningKeyRow> {
    const createdAtMs = Math.max(Date.now(), (before?.createdAt.getTime() ?? 0) + 1);
    const secret = randomBytes(secretByteLength).toString("base64");
    const key = await this.#parts.client.signingKey.create({
      data: { id: newId("sk"), secret, createdAt: new Date(createdAtMs) },
    });
    this.#known = null;
    return key;
  }

  async #retireOlderThan(newest: SigningKeyRow): Promise<void> {
    const retiresAt = new Date(Date.now() + refreshMs + this.#parts.longestUrlMs);
    await this.#parts.client.signingKey.updateMany({
      where: { ...olderThan(newest), retiresAt: null },
      data: { retiresAt },
    });
  }

  async #recent(): Promise<Keys> {
    const known = this.#known;
    return known !== null && Date.now() - known.readAtMs < refreshMs ? known.keys : this.#readAnew();
  }

  /** One reading at a time, however many URLs name keys that nobody has made. */
  #readAnew(): Promise<Keys> {
    this.#next ??= this.#readNext();
    return this.#next;
  }

  async #readNext(): Promise<Keys> {
    // What is being read already may have missed a key that was written since.
    await this.#reading?.catch(() => undefined);
    this.#reading = this.#next;
    this.#next = null;
    const readAtMs = Date.now();
    const rows = await this.#parts.client.signingKey.findMany();
    const keys: Keys = new Map(rows.map((row) => [row.id, row]));
    this.#known = { keys, readAtMs };
    return keys;
  }
}

function newestOf(keys: Keys): SigningKeyRow | null {
  const sorted = [...keys.values()].sort((left, right) => (isOlder(left, right) ? 1 : -1));
  return sorted[0] ?? null;
}

function isOlder(key: SigningKeyRow, other: SigningKeyRow): boolean {
  const difference = key.createdAt.getTime() - other.createdAt.getTime();
  return difference < 0 || (difference === 0 && key.id < other.id);
}

/** The same as `isOlder`, in the database. */
function olderThan({ id, createdAt }: SigningKeyRow) {
  return { OR: [{ createdAt: { lt: createdAt } }, { createdAt, id: { lt: id } }] };
}

function hasEnded({ retiresAt }: SigningKeyRow): boolean {
  return retiresAt !== null && retiresAt.getTime() <= Date.now();
}
