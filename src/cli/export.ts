import { createWriteStream } from "node:fs";
import { rm, stat } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { parseArgs } from "node:util";
import type { Readable } from "node:stream";
import { codeOfError } from "../code-of-error.js";
import { ViewerExports } from "../services/export/viewer-export.js";
import { openAudio } from "./audio-folder.js";
import { RefusedError, UsageError } from "./usage-error.js";
import type { Command, CommandContext } from "./command.js";
import { tenantsOf } from "./known-person.js";

/** `export`: what `GET /export` answers, for a person who asks the operator. */
export const exportViewer: Command = {
  usage: [
    "export --viewer ID --out FILE.zip",
    "    everything of a person as one ZIP, as they get it from /export. FILE must not be there; - is standard output.",
  ],
  run: async (context, args) => {
    const options = { viewer: { type: "string" }, out: { type: "string" } } as const;
    const { viewer, out } = parseArgs({ args: [...args], options }).values;
    if (viewer === undefined) throw new UsageError("export needs --viewer.");
    if (out === undefined) throw new UsageError("export needs --out.");
    const bytes = await openExport(context, viewer);
    if (out === "-") return pipeline(bytes, context.output, { end: false });
    await writeNew(out, bytes);
    context.print(`${out} holds everything of ${viewer}: ${(await stat(out)).size} bytes.`);
  },
};

async function openExport(context: CommandContext, viewerId: string): Promise<Readable> {
  const { config, database, logger } = context;
  const { client } = database;
  const [tenantId = ""] = await tenantsOf(client, viewerId);
  const store = await openAudio(context);
  const exports = new ViewerExports({ client, store, prices: config.prices, logger });
  return exports.open({ id: viewerId, tenantId });
}

/** For nobody else to read; nothing is left of one that broke off. */
async function writeNew(path: string, bytes: Readable): Promise<void> {
  const file = createWriteStream(path, { flags: "wx", mode: 0o600 });
  try {
    await pipeline(bytes, file);
  } catch (error) {
    const refusal = refusals.get(codeOfError(error));
    if (refusal !== undefined) throw new RefusedError(refusal(path));
    await rm(path, { force: true });
    throw error;
  }
}

/** By the code of the system, where the file could not be made. */
const refusals = new Map<string | null, (path: string) => string>([
  ["EEXIST", (path) => `${path} is there already: choose another name, or remove it.`],
  ["ENOENT", (path) => `The folder of ${path} is not there: make it, or choose another one.`],
  ["EACCES", (path) => `This user may not write ${path}: choose another folder.`],
]);
