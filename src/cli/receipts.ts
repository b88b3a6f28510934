import { parseArgs } from "node:util";
import type { DeletionRow } from "../db/rows.js";
import { readReceipts } from "../services/keeping/receipt.js";
import { toldReceipt } from "../services/keeping/receipt.js";
import { readNumber } from "./read-number.js";
import type { Command } from "./command.js";

const maxReceipts = 1_000;

/** `receipts`: what was deleted, of all persons. */
export const receipts: Command = {
  usage: [
    "receipts [--viewer ID] [--open] [--last N] [--json]",
    "    what was deleted, newest first: 50, or N up to 1,000. --open: only what is not completed yet.",
  ],
  run: async ({ database, print }, args) => {
    const { values } = parseArgs({
      args: [...args],
      options: {
        viewer: { type: "string" },
        open: { type: "boolean" },
        last: { type: "string" },
        json: { type: "boolean" },
      },
    });
    const rows = await readReceipts(database.client, {
      ...(values.viewer === undefined ? {} : { ownerId: values.viewer }),
      open: values.open ?? false,
      take: readNumber("--last", values.last, { fallback: 50, min: 1, max: maxReceipts }),
    });
    if (values.json === true) {
      print(JSON.stringify(rows.map(toldReceipt), null, 2));
      return;
    }
    if (rows.length === 0) print("There are no receipts.");
    for (const row of rows) printReceipt(print, row);
  },
};

export function printReceipt(print: (line: string) => void, row: DeletionRow): void {
  const { id, kind, viewer, tenant, conversationId, requestedBy, requestedAt, completedAt, ...counts } =
    toldReceipt(row);
  const what = conversationId === null ? "everything" : conversationId;
  print(`${id}  ${kind}  ${completedAt === null ? "open" : "completed"}`);
  print(`    ${what} of ${viewer} in ${tenant}, asked for by ${requestedBy}`);
  print(`    asked ${requestedAt}, completed ${completedAt ?? "not yet"}`);
  print(
    `    ${Object.entries(counts)
      .map(([name, count]) => `${name} ${count}`)
      .join(", ")}`,
  );
}
