import type { DatabaseClient } from "../db/database.js";
import { RefusedError } from "./usage-error.js";

/**
 * The tenants whose rows name the person: one, unless the operator has changed how people are told apart. None for who
 * is named only by events.
 * @throws RefusedError where nothing is kept of them
 */
export async function tenantsOf(client: DatabaseClient, viewerId: string): Promise<string[]> {
  const [ownerId, select] = [viewerId, { tenantId: true }];
  const rows = await Promise.all([
    client.conversation.findFirst({ where: { ownerId }, select }),
    client.modelCall.findFirst({ where: { ownerId }, select }),
    client.audioUpload.findFirst({ where: { ownerId }, select }),
    client.apiKey.findFirst({ where: { viewerId }, select }),
    client.deletion.findFirst({ where: { ownerId, completedAt: null }, select }),
  ]);
  const tenants = new Set(rows.flatMap((row) => row?.tenantId ?? []));
  if (tenants.size === 0 && (await client.eventCounter.count({ where: { ownerId } })) === 0)
    throw new RefusedError(
      `Nothing is kept of ${viewerId}: npm run parley -- viewer-id tells a person's id.`,
    );
  return [...tenants];
}
