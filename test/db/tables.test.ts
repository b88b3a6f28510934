import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { describe, expect, it } from "@jest/globals";
import type { DatabaseConfig } from "../../src/config/config.js";
import { onEachDatabase } from "../helpers/databases.js";
import { askByAudio, askByText, startedConversation } from "../helpers/operations.js";
import { TestParley } from "../helpers/parley.js";
import { openSql } from "../helpers/sql.js";
import type { Sql } from "../helpers/sql.js";
import { silentWav } from "../stand-in/support.js";

function tablesOf(parley: TestParley): Promise<Sql> {
  const { database } = parley.server.context.config;
  return openSql(database.kind === "sqlite" ? `file:${database.path}` : database.url);
}

const turnColumns = ["ownerId", "status", "replyModalities", "replyVoice", "replyFormat", "createdAt"];
const quoted = (names: string[]) => names.map((name) => `"${name}"`).join(", ");

/** A copy of the turn in another place; `active` is written as activeConversationId. */
function copyTurn(copy: { id: string; conversationId?: string; position: number; active?: string }): string {
  const { id, position } = copy;
  const conversation = copy.conversationId === undefined ? '"conversationId"' : `'${copy.conversationId}'`;
  const active = copy.active === undefined ? "NULL" : `'${copy.active}'`;
  const columns = quoted(["id", "position", "conversationId", "activeConversationId", ...turnColumns]);
  const values = `'${id}', ${position}, ${conversation}, ${active}, ${quoted(turnColumns)}`;
  return `INSERT INTO "Turn" (${columns}) SELECT ${values} FROM "Turn" WHERE "position" = 1`;
}

const unique = { message: expect.stringMatching(/unique constraint/i) };
const foreignKey = { message: expect.stringMatching(/foreign key constraint/i) };

onEachDatabase("the tables", (kind) => {
  it("refuse a second turn at a position, a second active turn, and rows without the row that they belong to", async () => {
    const parley = await TestParley.start(kind);
    const conversationId = await startedConversation(parley);
    const turn = await askByText(parley, conversationId, "Say 'one'.");
    const sql = await tablesOf(parley);

    await expect(sql(copyTurn({ id: "turn_a", position: 1 }))).rejects.toMatchObject(unique);
    await sql(copyTurn({ id: "turn_b", position: 2, active: conversationId }));
    await expect(sql(copyTurn({ id: "turn_c", position: 3, active: conversationId }))).rejects.toMatchObject(
      unique,
    );
    // Any number of turns that have ended.
    await sql(copyTurn({ id: "turn_d", position: 3 }));
    await sql(copyTurn({ id: "turn_e", position: 4 }));

    await expect(sql(copyTurn({ id: "turn_f", position: 5, active: "conv_absent" }))).rejects.toMatchObject(
      foreignKey,
    );
    const elsewhere = copyTurn({ id: "turn_g", position: 5, conversationId: "conv_absent" });
    await expect(sql(elsewhere)).rejects.toMatchObject(foreignKey);
    const columns = quoted(["ownerId", "conversationId", "turnId", "role", "createdAt"]);
    const secondAnswer = `INSERT INTO "Message" ("id", ${columns}) SELECT 'msg_x', ${columns} FROM "Message"`;
    await expect(sql(`${secondAnswer} WHERE "turnId" = '${turn.id}'`)).rejects.toMatchObject(unique);
  });

  it("forget everything of a deleted conversation but what its calls cost", async () => {
    const parley = await TestParley.start(kind);
    const conversationId = await startedConversation(parley, { idempotencyKey: "one" });
    await askByText(parley, conversationId, "Say 'one'.", { idempotencyKey: "two" });
    const sql = await tablesOf(parley);
    await sql(`DELETE FROM "Conversation" WHERE "id" = '${conversationId}'`);
    for (const table of ["Turn", "Message", "AudioClip", "IdempotencyKey"])
      expect(await sql(`SELECT "id" FROM "${table}"`)).toEqual([]);
    expect(await sql('SELECT "conversationId", "turnId", "outcome" FROM "ModelCall"')).toEqual([
      { conversationId: null, turnId: null, outcome: "COMPLETE" },
    ]);
  });

  it("hold no audio, neither as bytes nor as base64", async () => {
    const parley = await TestParley.start(kind);
    const conversationId = await startedConversation(parley);
    const noise = Buffer.concat([silentWav(1000).subarray(0, 44), randomBytes(16_000)]);
    const asked = await askByAudio(parley, conversationId, noise);
    const response = await fetch(asked.assistantMessage?.audio?.url ?? "");
    const answered = Buffer.from(await response.arrayBuffer());
    expect(answered.byteLength).toBeGreaterThan(20_000);
    const traces = [noise, answered].flatMap((sound) => tracesOf(sound.subarray(10_000, 10_060)));
    const stored = await everythingIn(parley.server.context.config.database);
    expect(stored.includes(asked.id)).toBe(true);
    expect(traces.filter((trace) => stored.includes(trace))).toEqual([]);
    // Of a file that is searched the same way, all bytes and one of the alignments of base64 are found.
    const file = Buffer.concat([stored, answered, Buffer.from(noise.toString("base64"))]);
    expect(traces.filter((trace) => file.includes(trace))).toHaveLength(2);
  });
});

/** What a piece of sound looks like as bytes, in hexadecimal, and in base64 at each of its three alignments. */
function tracesOf(piece: Buffer): Buffer[] {
  const base64 = [0, 1, 2].map((skip) => piece.subarray(skip, skip + 48).toString("base64"));
  return [piece, ...[piece.toString("hex"), ...base64].map((text) => Buffer.from(text))];
}

async function everythingIn(database: DatabaseConfig): Promise<Buffer> {
  if (database.kind === "sqlite") {
    return Buffer.concat(await Promise.all(["", "-wal"].map((end) => readFile(database.path + end))));
  }
  const sql = await openSql(database.url);
  const tables = await sql("SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'");
  const rows = (tables as { name: string }[]).map(({ name }) => sql(`SELECT * FROM "${name}"`));
  return Buffer.from(JSON.stringify(await Promise.all(rows)));
}

describe("a SQLite database", () => {
  it("writes ahead, syncs fully and checks foreign keys on the server's connection", async () => {
    const parley = await TestParley.start("sqlite");
    const { client } = parley.server.context.database;
    const read = async (name: string) => {
      const rows = await client.$queryRawUnsafe<Record<string, unknown>[]>(`PRAGMA ${name}`);
      return String(rows[0]?.[name]);
    };
    // Also after transactions, which some drivers open on another connection.
    await askByText(parley, await startedConversation(parley), "Say 'one'.");
    const full = "2";
    expect(await Promise.all(["journal_mode", "synchronous", "foreign_keys"].map(read))).toEqual([
      "wal",
      full,
      "1",
    ]);
  });
});
