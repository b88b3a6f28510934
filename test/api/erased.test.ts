import { readFile } from "node:fs/promises";
import { expect, it } from "@jest/globals";
import { completedReceipt, deleted, deletedViewer } from "../helpers/deletions.js";
import { entriesUnder, unlessGone } from "../helpers/files.js";
import { askByText, startedConversation } from "../helpers/operations.js";
import { TestParley } from "../helpers/parley.js";
import { openSql } from "../helpers/sql.js";

/** The files below the server's folder, the database with its log among them, that hold the word. */
async function filesWith(parley: TestParley, word: string): Promise<string[]> {
  const found: string[] = [];
  for (const { path, name, isFile } of await entriesUnder(parley.folder)) {
    const content = isFile ? await unlessGone(readFile(path)) : null;
    if (content?.includes(word) === true) found.push(name);
  }
  return found;
}

/** Long words, which fill pages of their own, and short ones. */
async function saySecrets(parley: TestParley): Promise<string> {
  const id = await startedConversation(parley, { title: "Secretive", instructions: "Secretive." });
  for (const times of [1, 50, 500]) await askByText(parley, id, `Say '${"Secretive ".repeat(times)}'.`);
  return id;
}

it("A deleted conversation's words are in no file of SQLite's any more when its receipt is completed", async () => {
  const parley = await TestParley.start("sqlite");
  const id = await saySecrets(parley);
  const other = await startedConversation(parley, { title: "Remaining" });
  expect(await filesWith(parley, "Secretive")).not.toEqual([]);
  expect((await deleted(parley, id)).completedAt).not.toBeNull();
  expect(await filesWith(parley, "Secretive")).toEqual([]);
  expect(await filesWith(parley, other)).not.toEqual([]);
});

it("A deleted person's words are in no file of SQLite's any more when the receipt is completed", async () => {
  const parley = await TestParley.start("sqlite");
  await saySecrets(parley);
  expect((await deletedViewer(parley)).completedAt).not.toBeNull();
  expect(await filesWith(parley, "Secretive")).toEqual([]);
});

it("Turns that are older than they are to be kept are in no file of SQLite's any more after a sweep", async () => {
  const parley = await TestParley.start("sqlite");
  const id = await saySecrets(parley);
  // The newest turn stays, however old it is.
  await askByText(parley, id, "Say 'last'.");
  const sql = await openSql(parley.databaseUrl);
  await sql(`UPDATE "Turn" SET "endedAt" = '2020-01-01T00:00:00.000+00:00'`);
  await sql(`UPDATE "Conversation" SET "textRetentionDays" = 1, "title" = NULL, "instructions" = NULL`);
  const { retention } = parley.server.context;
  expect(await retention.sweep(new Date(), new AbortController().signal)).toBe(3);
  expect(await filesWith(parley, "Secretive")).toEqual([]);
  expect(await filesWith(parley, id)).not.toEqual([]);
});

it("A deletion holds nobody up while another program reads the database, and is completed afterwards", async () => {
  const parley = await TestParley.start("sqlite");
  const id = await saySecrets(parley);
  const reader = await openSql(parley.databaseUrl);
  await reader("BEGIN");
  await reader(`SELECT COUNT(*) FROM "Message"`);
  let answered = 0;
  let isOver = false;
  const deleting = deleted(parley, id).finally(() => (isOver = true));
  while (!(isOver as boolean)) {
    type Saved = { conversations: { totalCount: number } };
    const { conversations } = await parley.ask<Saved>("{ conversations { totalCount } }");
    if (conversations.totalCount === 0) answered += 1;
  }
  const receipt = await deleting;
  expect(receipt.completedAt).toBeNull();
  // The rows are gone; then it looks for five seconds until it gives up. Some are answered while the files are removed.
  expect(answered).toBeGreaterThan(50);
  await reader("COMMIT");
  await parley.restart();
  await completedReceipt(parley, receipt.id);
  expect(await filesWith(parley, "Secretive")).toEqual([]);
});
