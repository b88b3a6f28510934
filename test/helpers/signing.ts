import { createHmac } from "node:crypto";
import { openSql } from "./sql.js";
import type { TestParley } from "./parley.js";

export interface Key {
  id: string;
  secret: string;
}

/** The keys in the database, the newest first. */
export async function signingKeys(parley: TestParley): Promise<Key[]> {
  const sql = await openSql(parley.databaseUrl);
  return (await sql('SELECT "id", "secret" FROM "SigningKey" ORDER BY "createdAt" DESC, "id" DESC')) as Key[];
}

/** The query of a URL, signed as the server does it with one of its keys. */
export async function signedQuery(
  parley: TestParley,
  grant: { purpose: string; objectId: string; viewerId?: string; expires?: number },
): Promise<string> {
  const [key] = await signingKeys(parley);
  if (key === undefined) throw new Error("there is no key");
  const {
    purpose,
    objectId,
    viewerId = "viewer_local",
    expires = Math.floor(Date.now() / 1000) + 60,
  } = grant;
  const signature = createHmac("sha256", Buffer.from(key.secret, "base64"))
    .update(JSON.stringify([purpose, objectId, viewerId, expires]))
    .digest("base64url");
  return new URLSearchParams({
    expires: String(expires),
    viewer: viewerId,
    key: key.id,
    signature,
  }).toString();
}

/** The URL with one of its parameters changed, one by one: another value, one more character, twice, not there. */
export function tampered(url: string): [string, string][] {
  const names = ["expires", "viewer", "key", "signature"];
  return names.flatMap((name) => {
    const value = new URL(url).searchParams.get(name) ?? "";
    const changes: [string, (query: URLSearchParams) => void][] = [
      ["another", (query) => query.set(name, other(value))],
      ["longer", (query) => query.set(name, `${value}0`)],
      ["shorter", (query) => query.set(name, value.slice(0, -1))],
      ["empty", (query) => query.set(name, "")],
      ["twice", (query) => query.append(name, value)],
      ["not there", (query) => query.delete(name)],
    ];
    return changes.map(([how, change]): [string, string] => {
      const changed = new URL(url);
      change(changed.searchParams);
      return [`${name} ${how}`, changed.href];
    });
  });
}

/** Differs in its last character alone. */
function other(value: string): string {
  return (
    value.slice(0, -1) +
    (value.endsWith("A") ? "B" : /\d$/.test(value) ? String(9 - Number(value.at(-1))) : "A")
  );
}
