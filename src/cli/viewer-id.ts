import { parseArgs } from "node:util";
import { viewerId } from "../auth/viewer.js";
import { UsageError } from "./usage-error.js";
import type { Command } from "./command.js";

/** `viewer-id`: which id stands for a person in rows, logs and sums of usage. */
export const viewerIds: Command = {
  usage: [
    "viewer-id --owner PERSON [--tenant TENANT]",
    "    the id of a person: as `keys create` names them, or as their tokens do (subject and tenant claim).",
  ],
  run: ({ print }, args) => {
    const options = { owner: { type: "string" }, tenant: { type: "string" } } as const;
    const { owner, tenant } = parseArgs({ args: [...args], options }).values;
    if (owner === undefined) throw new UsageError("viewer-id needs --owner.");
    print(viewerId(tenant ?? "default", owner));
    return Promise.resolve();
  },
};
