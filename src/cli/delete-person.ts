import { parseArgs } from "node:util";
import { notificationsOf } from "../db/notifications.js";
import type { DeletionRow } from "../db/rows.js";
import { newId } from "../ids.js";
import { Deletions } from "../services/keeping/deletions.js";
import { toldReceipt } from "../services/keeping/receipt.js";
import type { Owner } from "../services/keeping/receipt.js";
import { WakeUps } from "../services/live/wake-ups.js";
import { tellDropped } from "../services/turns/tell-dropped.js";
import { openAudio } from "./audio-folder.js";
import { RefusedError, UsageError } from "./usage-error.js";
import type { Command, CommandContext } from "./command.js";
import { tenantsOf } from "./known-person.js";
import { printReceipt } from "./receipts.js";

/** `delete-person`: what the mutation deleteViewer does, for a person who asks the operator. */
export const deletePerson: Command = {
  usage: [
    "delete-person --viewer ID --tenant TENANT --yes [--json]",
    "    removes everything of a person for good, and prints the receipt. Servers may run meanwhile; what is interrupted",
    "    they finish, or it is finished by the same command.",
  ],
  run: async (context, args) => {
    const { values } = parseArgs({
      args: [...args],
      options: {
        viewer: { type: "string" },
        tenant: { type: "string" },
        yes: { type: "boolean" },
        json: { type: "boolean" },
      },
    });
    const { viewer: id, tenant: tenantId } = values;
    if (id === undefined) throw new UsageError("delete-person needs --viewer.");
    if (tenantId === undefined) throw new UsageError("delete-person needs --tenant.");
    const owner = { id, tenantId };
    await checkTenant(context, owner);
    if (values.yes !== true)
      throw new RefusedError(`Nothing was deleted: everything of ${id} goes for good with --yes.`);
    const receipt = await remove(context, owner);
    if (values.json === true) context.print(JSON.stringify(toldReceipt(receipt), null, 2));
    else printReceipt(context.print, receipt);
  },
};

/** @throws RefusedError */
async function checkTenant({ database }: CommandContext, { id, tenantId }: Owner): Promise<void> {
  const tenants = await tenantsOf(database.client, id);
  if (tenants.length > 0 && !tenants.includes(tenantId))
    throw new RefusedError(`${id} is not of the tenant ${tenantId} but of ${tenants.join(", ")}.`);
}

/** What servers run of the person they hear of, or see when they next look at their turns. */
async function remove(context: CommandContext, owner: Owner): Promise<DeletionRow> {
  const { config, database, logger } = context;
  const store = await openAudio(context);
  const wakeUps = new WakeUps(notificationsOf(config.database, { serverId: newId("srv"), logger }));
  const drop = (_conversationId: string, turnId: string | null) => {
    if (turnId !== null) tellDropped(wakeUps, turnId);
    return Promise.resolve();
  };
  const { client, eraseRemoved } = database;
  const deletions = new Deletions({ client, store, logger, wakeUps, turns: { drop }, eraseRemoved });
  try {
    const { finished } = await deletions.deletePerson(owner, "OPERATOR");
    return await finished;
  } finally {
    await deletions.close();
    await wakeUps.close();
  }
}
