import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { expect, it } from "@jest/globals";
import yauzl from "yauzl";
import type { Env } from "../../src/config/env.js";
import { freshDatabaseUrl, onEachDatabase } from "../helpers/databases.js";
import type { DatabaseKind } from "../helpers/databases.js";
import { entriesUnder, isSoundFile } from "../helpers/files.js";
import { askByText, startedConversation, turnById } from "../helpers/operations.js";
import {
  ChildProgram,
  ParleyProcess,
  azureSettings,
  temporaryFolder,
  testStandIn,
} from "../helpers/parley-process.js";
import { openSql } from "../helpers/sql.js";

function parley(folder: string, env: Env, ...args: string[]) {
  return new ChildProgram("dist/cli/parley.js", folder, env, args).ended;
}

/** A server that goes on, and the operator's commands beside it. */
async function besideServer(kind: DatabaseKind) {
  const folder = await temporaryFolder();
  const standIn = await testStandIn();
  const DATABASE_URL = await freshDatabaseUrl(kind, folder);
  const env = { ...azureSettings(standIn), DATABASE_URL, DATA_DIR: join(folder, "data") };
  const server = await ParleyProcess.start(folder, env);
  const command = (...args: string[]) => parley(folder, env, ...args);
  return { folder, standIn, databaseUrl: DATABASE_URL, dataDir: env.DATA_DIR, server, command };
}

async function soundFiles(dataDir: string): Promise<string[]> {
  return (await entriesUnder(join(dataDir, "audio"))).filter(isSoundFile).map(({ name }) => name);
}

const viewer = ["--viewer", "viewer_local"];
const person = [...viewer, "--tenant", "local"];

onEachDatabase("an operator's command while the server runs", (kind) => {
  it("exports a person to a new file that is the operator's alone", async () => {
    const { folder, server, command } = await besideServer(kind);
    const id = await startedConversation(server, { title: "Dogs" });
    const turn = await askByText(server, id, "Say 'one'.");
    const done = await command("export", ...viewer, "--out", "mine.zip");
    expect(done).toMatchObject({ code: 0, stderr: "" });
    expect(done.stdout).toMatch(/^mine\.zip holds everything of viewer_local: \d+ bytes\.\n$/);
    const zip = await yauzl.fromBufferPromise(await readFile(join(folder, "mine.zip")), {
      lazyEntries: true,
    });
    const names: string[] = [];
    for await (const entry of zip.eachEntry()) names.push(entry.fileName);
    expect(names).toEqual(
      expect.arrayContaining([
        "manifest.json",
        `conversations/${id}/conversation.json`,
        `conversations/${id}/${turn.assistantMessage?.audio?.id ?? ""}.wav`,
      ]),
    );
    const again = await command("export", ...viewer, "--out", "mine.zip");
    expect(again.stderr).toBe("mine.zip is there already: choose another name, or remove it.\n");
    expect((await command("export", ...viewer, "--out", "-")).stdout.slice(0, 2)).toBe("PK");
  });

  it("deletes a person only with --yes, stops what the server runs of them, and tells the receipt", async () => {
    const { standIn, databaseUrl, dataDir, server, command } = await besideServer(kind);
    const id = await startedConversation(server);
    await askByText(server, id, "Say 'one'.");
    const pause = standIn.pauseNext("after-first-audio");
    const running = await askByText(server, id, "Say 'one two three'.", { waitMs: 0 });
    await pause.reached;
    const refused = await command("delete-person", ...person);
    expect(refused).toMatchObject({ code: 1, stdout: "" });
    expect(refused.stderr).toContain("--yes");
    expect(await turnById(server, running.id)).not.toBeNull();

    const deleted = await command("delete-person", ...person, "--yes", "--json");
    expect(deleted).toMatchObject({ code: 0, stderr: "" });
    const receipt = JSON.parse(deleted.stdout) as { completedAt: string | null };
    expect(receipt).toMatchObject({ kind: "PERSON", requestedBy: "OPERATOR", conversations: 1, turns: 2 });
    expect(receipt.completedAt).not.toBeNull();
    expect(await turnById(server, running.id)).toBeNull();
    // The server has seen it by itself: the call has ended, though the model has not gone on.
    const sql = await openSql(databaseUrl);
    const calls = () => sql(`SELECT "ownerId" FROM "ModelCall"`);
    while ((await calls()).length < 2) await delay(20);
    expect(await calls()).toEqual([{ ownerId: "viewer_deleted" }, { ownerId: "viewer_deleted" }]);
    while ((await soundFiles(dataDir)).length > 0) await delay(20);
    pause.release();

    const listed = await command("receipts", "--json");
    expect(JSON.parse(listed.stdout)).toEqual([receipt]);
    expect((await command("receipts")).stdout).toMatch(/^del_\w+ {2}PERSON {2}completed\n/);
    expect((await command("receipts", "--open")).stdout).toBe("There are no receipts.\n");
  });
});

it.each([
  [["export", "--out", "mine.zip"], "needs --viewer"],
  [["export", "--viewer", "viewer_local"], "needs --out"],
  [["delete-person", "--viewer", "viewer_x"], "needs --tenant"],
  [["receipts", "--last", "1001"], '--last must be a whole number from 1 to 1000; it is "1001".'],
  [["receipts", "--last", "-3"], '--last must be a whole number from 1 to 1000; it is "-3".'],
])("says what is wrong with %j, and where to look", async (args, sentence) => {
  const { code, stdout, stderr } = await parley(await temporaryFolder(), {}, ...args);
  expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  expect(stderr).toContain(sentence);
  expect(stderr).toContain("npm run parley -- --help");
});

it.each([
  [["export", "--viewer", "viewer_x", "--out", "mine.zip"]],
  [["delete-person", "--viewer", "viewer_x", "--tenant", "local", "--yes"]],
])("says with %j of whom nothing is kept how to find the id, and nothing else", async (args) => {
  const { code, stdout, stderr } = await parley(await temporaryFolder(), {}, ...args);
  expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
  expect(stderr).toBe("Nothing is kept of viewer_x: npm run parley -- viewer-id tells a person's id.\n");
});

it("touches nothing where the tenant is another one, or the audio is that of another database", async () => {
  const folder = await temporaryFolder();
  const server = await ParleyProcess.start(folder, {});
  await startedConversation(server);
  await server.stop();
  const otherTenant = await parley(folder, {}, "delete-person", ...viewer, "--tenant", "acme", "--yes");
  expect(otherTenant.stderr).toContain("is not of the tenant acme but of local");
  const nowhere = { DATABASE_URL: `file:${join(folder, "data", "parley.db")}`, DATA_DIR: join(folder, "x") };
  const noAudio = await parley(folder, nowhere, "delete-person", ...person, "--yes");
  expect(noAudio.stderr).toContain("DATA_DIR must be the server's");
  await writeFile(join(folder, "data", "audio", ".store"), "db_another");
  const otherAudio = await parley(folder, {}, "delete-person", ...person, "--yes");
  expect(otherAudio.stderr).toContain("belongs to another database");
  expect((await parley(folder, {}, "receipts")).stdout).toBe("There are no receipts.\n");
});
