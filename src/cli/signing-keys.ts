import { parseArgs } from "node:util";
import { longestUrlMs } from "../services/signing/longest-url.js";
import { SigningKeys } from "../services/signing/signing-keys.js";
import { UsageError } from "./usage-error.js";
import type { Command } from "./command.js";

/** `signing-keys rotate`: what the URLs of clips and uploads are signed with. */
export const signingKeys: Command = {
  usage: [
    "signing-keys rotate [--end-old-urls]",
    "    makes a new key, with which every server signs URLs within a minute; URLs that were given out stay good until they end.",
    "    --end-old-urls: for a key that others have got hold of: they end within a minute.",
  ],
  run: async ({ config, database, print }, [action, ...args]) => {
    if (action !== "rotate") throw new UsageError("signing-keys needs rotate.");
    const { values } = parseArgs({ args, options: { "end-old-urls": { type: "boolean", default: false } } });
    const keys = new SigningKeys({ client: database.client, longestUrlMs: longestUrlMs(config.audio) });
    await keys.rotate({ endOldUrls: values["end-old-urls"] });
    print("Every server signs with the new key within a minute.");
  },
};
