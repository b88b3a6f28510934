import { ApiKeys } from "../../src/auth/api-keys.js";
import type { NewApiKey } from "../../src/auth/api-keys.js";
import type { TestParley } from "./parley.js";

/** A key of a person on the server's database, good and for members unless it says otherwise. */
export async function keyOf(
  parley: TestParley,
  owner: string,
  changes: Partial<NewApiKey> = {},
): Promise<{ id: string; headers: { authorization: string } }> {
  const { key, row } = await new ApiKeys(parley.server.context.database.client).create({
    name: `a key of ${owner}`,
    owner,
    tenantId: "acme",
    scopes: ["conversations:read", "conversations:write"],
    expiresAt: null,
    ...changes,
  });
  return { id: row.id, headers: { authorization: `Bearer ${key}` } };
}

export async function revokeKey(parley: TestParley, id: string): Promise<void> {
  await new ApiKeys(parley.server.context.database.client).revoke(id);
}

/** Why sign-ins failed, as the log tells it, in order. */
export function reasonsIn(parley: TestParley): unknown[] {
  return parley.log
    .map((line) => JSON.parse(line) as { msg?: unknown; reason?: unknown })
    .filter(({ msg }) => msg === "a sign-in failed")
    .map(({ reason }) => reason);
}
