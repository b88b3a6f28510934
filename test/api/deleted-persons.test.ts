import { setTimeout as delay } from "node:timers/promises";
import { expect, it } from "@jest/globals";
import { budgetSettings } from "../helpers/budgets.js";
import { onEachDatabase } from "../helpers/databases.js";
import type { DatabaseKind } from "../helpers/databases.js";
import { completedReceipt, deleteViewer, deletedViewer, receiptById } from "../helpers/deletions.js";
import type { Receipt } from "../helpers/deletions.js";
import { everyRow, tracesOf } from "../helpers/everything.js";
import { answerHasGrownTo } from "../helpers/exchanges.js";
import { askByAudio, askByText, startedConversation, turnById } from "../helpers/operations.js";
import type { Asked } from "../helpers/operations.js";
import { ParleyProcess, azureSettings, testStandIn } from "../helpers/parley-process.js";
import { TestParley } from "../helpers/parley.js";
import { keyOf } from "../helpers/people.js";
import { refuseRemovals } from "../helpers/refused-writes.js";
import { keptSoundFiles, spokenWav } from "../helpers/sound.js";
import { openSql } from "../helpers/sql.js";
import type { Sql } from "../helpers/sql.js";
import { storeConversations, storeTurns } from "../helpers/stored-conversations.js";
import { createdUpload, put } from "../helpers/uploads.js";
import { subscribe } from "../helpers/subscriptions.js";

async function count(sql: Sql, table: string, where = "1 = 1"): Promise<number> {
  const [row] = (await sql(`SELECT COUNT(*) AS "n" FROM "${table}" WHERE ${where}`)) as { n: string }[];
  return Number(row?.n);
}

/** Makes all that is one person's another one's: what somebody else's device did is then theirs at once. */
function giveAll(from: string, to: string): string[] {
  return ["Conversation", "Turn", "Message", "AudioClip", "ModelCall", "AudioUpload"].map(
    (table) => `UPDATE "${table}" SET "ownerId" = '${to}' WHERE "ownerId" = '${from}'`,
  );
}

/** Runs the statements in the moment in which an upload is removed. */
async function onRemovalOf(
  sql: Sql,
  kind: DatabaseKind,
  uploadId: string,
  statements: string[],
): Promise<void> {
  const trigger = 'CREATE TRIGGER goes_on AFTER DELETE ON "AudioUpload" FOR EACH ROW';
  const when = `WHEN (OLD."id" = '${uploadId}')`;
  const body = statements.map((statement) => `${statement};`).join(" ");
  if (kind === "sqlite") {
    await sql(`${trigger} ${when} BEGIN ${body} END`);
    return;
  }
  await sql(
    `CREATE FUNCTION goes_on() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN ${body} RETURN NULL; END $$`,
  );
  await sql(`${trigger} ${when} EXECUTE FUNCTION goes_on()`);
}

/** What must be empty when nobody is left. */
const tables = [
  "Conversation",
  "Turn",
  "Message",
  "AudioClip",
  "AnswerLogEntry",
  "IdempotencyKey",
  "ConversationEvent",
  "EventCounter",
  "DeletionFile",
];

/** Where a person is counted, and where they are named besides what is in their conversations. */
const counts = ["BudgetReservation", "RateWindow", "SpendDay"];
const beside = ["ApiKey", "AudioUpload", ...counts];

function signedInAs(parley: TestParley, headers: Record<string, string>): Asked {
  return {
    ask: async <Data>(query: string, variables?: object) => {
      const { data, errors } = await parley.send<Data>(query, variables ?? {}, headers);
      if (errors.length > 0) throw new Error(`the operation failed: ${JSON.stringify(errors)}`);
      return data;
    },
  };
}

async function left(sql: Sql): Promise<string[]> {
  const found: string[] = [];
  for (const table of tables) if ((await count(sql, table)) > 0) found.push(table);
  return found;
}

const heard = /* GraphQL */ `
  subscription ($id: ID!) {
    conversationEvents(conversationId: $id) {
      __typename
    }
  }
`;
const viewerUsage = "{ viewer { usage { outputAudioTokens } } }";

onEachDatabase("a deleted person", (kind) => {
  it("leaves no word, no sound and no id but that of the receipt", async () => {
    const parley = await TestParley.start(kind);
    const id = await startedConversation(parley, {
      title: "Markedtitle",
      instructions: "Markedinstructions",
      idempotencyKey: "markedkey1",
    });
    await askByText(parley, id, "Say 'markedanswer'.", { idempotencyKey: "markedkey2" });
    await askByAudio(parley, id, spokenWav(), { text: "markedquestion" });
    const pause = parley.standIn.pauseNext("after-first-audio");
    const other = await startedConversation(parley);
    const running = await askByText(parley, other, "Say 'markedanswer two three four'.", { waitMs: 0 });
    await pause.reached;
    await answerHasGrownTo(parley, 45);
    const before = (await parley.ask<{ viewer: { usage: { outputAudioTokens: number } } }>(viewerUsage))
      .viewer;
    expect(before.usage.outputAudioTokens).toBeGreaterThan(0);
    expect((await tracesOf(parley, "marked")).length).toBeGreaterThan(3);

    const receipt = await deletedViewer(parley);
    pause.release();
    expect(receipt).toMatchObject({
      kind: "PERSON",
      conversationId: null,
      requestedBy: "VIEWER",
      completedAt: expect.any(String) as unknown,
      conversations: 2,
      turns: 3,
      messages: 6,
      clips: 4,
      idempotencyKeys: 2,
    });
    expect(receipt.events).toBeGreaterThan(5);
    for (const word of ["arked", id, other]) expect(await tracesOf(parley, word)).toEqual([]);
    expect(await tracesOf(parley, "viewer_local")).toEqual(["Deletion"]);
    expect(await keptSoundFiles(parley)).toEqual([]);
    expect(await turnById(parley, running.id)).toBeNull();
    // What was paid stays counted, for the call that was cut off as well; it may be written a moment later.
    const sql = await openSql(parley.databaseUrl);
    while ((await count(sql, "ModelCall")) < 3) await delay(10);
    expect(await count(sql, "ModelCall", `"ownerId" = 'viewer_deleted' AND "tenantId" = 'local'`)).toBe(3);
    expect(await parley.ask(viewerUsage)).toEqual({ viewer: { usage: { outputAudioTokens: 0 } } });
    expect(await receiptById(parley, receipt.id)).toEqual(receipt);
  });

  it("keeps no key and no upload, only numbers that count until the month is over", async () => {
    const budgets = await budgetSettings({ VIEWER_DAY: 5_000_000, TENANT_DAY: 9_000_000 });
    const parley = await TestParley.start(kind, { env: { ...budgets, AUTH: "api-key" } });
    const { headers } = await keyOf(parley, "markedperson", { name: "markedkey" });
    const bert = await keyOf(parley, "bert");
    const ada = signedInAs(parley, headers);
    const { viewer } = await ada.ask<{ viewer: { id: string } }>("{ viewer { id } }");
    await askByText(ada, await startedConversation(ada), "Say 'one'.");
    const wav = spokenWav();
    expect((await put((await createdUpload(ada, wav.byteLength)).uploadUrl, wav)).status).toBe(200);
    await createdUpload(ada, 5);
    const sql = await openSql(parley.databaseUrl);
    // Of a call that another server has not counted yet.
    await sql(`INSERT INTO "BudgetReservation" VALUES ('turn_gone', 1, '${viewer.id}', 'acme', 77,
      '2026-01-02T03:04:05.678Z', '2099-01-02T03:04:05.678Z')`);
    const ofTenant = `SELECT "day", "costMicroUsd" FROM "SpendDay" WHERE "scope" = 'tenant:acme' ORDER BY "day"`;
    const tenantDays = await sql(ofTenant);
    expect(tenantDays).not.toEqual([]);
    expect((await tracesOf(parley, viewer.id)).sort()).toEqual(expect.arrayContaining(beside));

    const receipt = await deletedViewer(ada, viewer.id);
    expect(receipt).toMatchObject({ apiKeys: 1, uploads: 2, conversations: 1 });
    expect(receipt.completedAt).not.toBeNull();
    expect((await tracesOf(parley, viewer.id)).sort()).toEqual([...counts, "Deletion"].sort());
    expect(await tracesOf(parley, "marked")).toEqual([]);
    expect(await keptSoundFiles(parley)).toEqual([]);
    expect((await parley.send("{ viewer { id } }", {}, headers)).status).toBe(401);
    expect((await parley.send("{ viewer { id } }", {}, bert.headers)).status).toBe(200);
    expect(await sql(ofTenant)).toEqual(tenantDays);
    expect(await count(sql, "BudgetReservation", `"ownerId" = '${viewer.id}' AND "costMicroUsd" = 77`)).toBe(
      1,
    );
  });

  it("is told to who listens to a conversation, and begins anew with the next one", async () => {
    const parley = await TestParley.start(kind);
    const id = await startedConversation(parley);
    const events = subscribe<object>("websocket", parley.url, heard, { id });
    const last = events.next();
    // The subscription is there as soon as its counter was read.
    while (!parley.statements.some((sql) => sql.startsWith("SELECT") && sql.includes("EventCounter")))
      await delay(5);
    await deletedViewer(parley);
    expect(await last).toMatchObject({
      value: { data: { conversationEvents: { __typename: "ConversationDeleted" } } },
    });
    const next = await startedConversation(parley);
    expect(await askByText(parley, next, "Say 'one'.")).toMatchObject({ status: "COMPLETED", position: 1 });
  });

  it("has named themselves: with another id nothing is removed", async () => {
    const parley = await TestParley.start(kind);
    await startedConversation(parley);
    const { errors } = await parley.send(deleteViewer, { viewerId: "viewer_other" });
    expect(errors).toMatchObject([{ extensions: { code: "BAD_USER_INPUT", retryable: false } }]);
    const sql = await openSql(parley.databaseUrl);
    expect([await count(sql, "Conversation"), await count(sql, "Deletion")]).toEqual([1, 0]);
  });

  it("takes nothing of anybody else along", async () => {
    const parley = await TestParley.start(kind);
    const id = await startedConversation(parley, { title: "Theirs", idempotencyKey: "theirs" });
    await askByText(parley, id, "Say 'one'.");
    const sql = await openSql(parley.databaseUrl);
    const owned = ["Conversation", "Turn", "Message", "AudioClip", "IdempotencyKey", "ModelCall"];
    for (const table of [...owned, "ConversationEvent", "EventCounter"])
      await sql(`UPDATE "${table}" SET "ownerId" = 'viewer_other'`);
    const [before, files] = [await everyRow(parley.databaseUrl), await keptSoundFiles(parley)];
    await startedConversation(parley);
    await deletedViewer(parley);
    const after = await everyRow(parley.databaseUrl);
    expect({ ...Object.fromEntries(after), Deletion: "" }).toEqual({
      ...Object.fromEntries(before),
      Deletion: "",
    });
    expect(await keptSoundFiles(parley)).toEqual(files);
  });

  it("begins what is deleted, too, where another device goes on meanwhile", async () => {
    const parley = await TestParley.start(kind);
    const sql = await openSql(parley.databaseUrl);
    const [later = ""] = await storeConversations(parley, [{}]);
    await storeTurns(parley, later, 1);
    await createdUpload(parley, 5);
    for (const statement of giveAll("viewer_local", "viewer_later")) await sql(statement);
    await startedConversation(parley);
    const { uploadId } = await createdUpload(parley, 5);
    await onRemovalOf(sql, kind, uploadId, giveAll("viewer_later", "viewer_local"));
    expect(await deletedViewer(parley)).toMatchObject({ conversations: 2, turns: 1, uploads: 2 });
    expect(await left(sql)).toEqual([]);
    expect(await count(sql, "AudioUpload")).toBe(0);
  });

  it("who came back more than a minute after a request that was left open keeps what is new", async () => {
    const parley = await TestParley.start(kind);
    const [old = ""] = await storeConversations(parley, [{ title: "Old", at: new Date("2026-01-01") }]);
    const sql = await openSql(parley.databaseUrl);
    await sql(`INSERT INTO "Deletion" ("id", "ownerId", "tenantId", "kind", "requestedBy", "requestedAt", "touchedAt")
      VALUES ('del_1', 'viewer_local', 'local', 'PERSON', 'VIEWER',
        '2026-01-02T03:04:05.678Z', '2026-01-02T03:04:05.678Z')`);
    const id = await startedConversation(parley, { title: "New" });
    await parley.restart();
    while ((await count(sql, "Deletion", '"completedAt" IS NULL')) > 0) await delay(20);
    expect(await sql('SELECT "id" FROM "Conversation"')).toEqual([{ id }]);
    expect(await count(sql, "ConversationEvent", `"conversationId" = '${id}'`)).toBe(1);
    expect(await count(sql, "ConversationEvent", `"conversationId" = '${old}'`)).toBe(0);
  });
});

async function processOn(folder: string, databaseUrl: string) {
  const standIn = await testStandIn();
  const env = { ...azureSettings(standIn), DATABASE_URL: databaseUrl, DATA_DIR: folder, LEASE_MS: "1000" };
  return () => ParleyProcess.start(folder, env);
}

onEachDatabase("a deletion whose server is killed", (kind) => {
  it("is finished by the next one, and its receipt counts everything once", async () => {
    const parley = await TestParley.start(kind, { lasting: true });
    const { databaseUrl } = parley;
    const [one = "", two = ""] = await storeConversations(parley, [{}, {}]);
    await storeTurns(parley, one, 1_500);
    await storeTurns(parley, two, 3);
    await parley.server.close();
    const sql = await openSql(databaseUrl);
    const goOn = await refuseRemovals(sql, databaseUrl, 400);
    const start = await processOn(parley.dataDir, databaseUrl);
    const first = await start();
    const asked = first.ask<{ deleteViewer: { receipt: Receipt } }>(deleteViewer, {
      viewerId: "viewer_local",
    });
    asked.catch(() => undefined);
    while ((await count(sql, "Turn")) >= 1_500) await delay(1);
    await first.program.kill();
    await goOn();
    expect(await count(sql, "Conversation")).toBeGreaterThan(0);

    const second = await start();
    const [row] = (await sql('SELECT "id" FROM "Deletion"')) as { id: string }[];
    const receipt = await completedReceipt(second, row?.id ?? "");
    expect(receipt).toMatchObject({ conversations: 2, turns: 1_503, messages: 3_006, clips: 3_006 });
    expect(receipt).toMatchObject({ audioByteLength: 3_006 * 48_044, anonymisedCalls: 1_503 });
    expect(await left(sql)).toEqual([]);
    await second.stop();
    await parley.standIn.close();
  });
});
