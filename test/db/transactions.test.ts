import { describe, expect, it } from "@jest/globals";
import { PrismaBetterSqlite3 } from "@prisma/adapter-better-sqlite3";
import BetterSqlite3 from "better-sqlite3";
import type { DatabaseClient, DatabaseTransaction } from "../../src/db/database.js";
import { inLine } from "../../src/db/sqlite-line.js";
import { onEachDatabase } from "../helpers/databases.js";
import { TestParley } from "../helpers/parley.js";

type Writer = Pick<DatabaseTransaction, "eventCounter">;

const write = (client: Writer, ownerId: string) =>
  client.eventCounter.create({ data: { ownerId, sequence: 1n } });

const written = async (client: Writer) =>
  (await client.eventCounter.findMany({ orderBy: { ownerId: "asc" } })).map(({ ownerId }) => ownerId);

/** A transaction that writes, lets happen what happens beside it, and is rolled back. */
async function rolledBack(client: DatabaseClient, beside: () => Promise<unknown>) {
  let answer: Promise<unknown> = Promise.resolve();
  const transaction = client.$transaction(async (transaction) => {
    await write(transaction, "inside");
    // Prisma sends nothing before somebody waits for it.
    answer = Promise.resolve(beside());
    for (let times = 0; times < 20; times += 1) await transaction.eventCounter.count();
    throw new Error("rolled back");
  });
  await expect(transaction).rejects.toThrow("rolled back");
  return answer;
}

onEachDatabase("what one request does while the transaction of another is open", (kind) => {
  const start = async () => (await TestParley.start(kind)).server.context.database.client;

  it("is kept when that transaction is rolled back", async () => {
    const client = await start();
    await rolledBack(client, () => write(client, "beside"));
    expect(await written(client)).toEqual(["beside"]);
  });

  it("is kept when that transaction is rolled back, where it is a transaction itself", async () => {
    const client = await start();
    await rolledBack(client, () => client.$transaction((other) => write(other, "beside")));
    expect(await written(client)).toEqual(["beside"]);
  });

  it("sees nothing that is not committed", async () => {
    const client = await start();
    expect(await rolledBack(client, () => written(client))).toEqual([]);
  });
});

/** One transaction whose last statement, the commit, is refused: a row refers to one that is not there. */
async function refusedAtCommit(client: DatabaseClient): Promise<void> {
  const transaction = client.$transaction(async (transaction) => {
    await transaction.$executeRaw`PRAGMA defer_foreign_keys = ON`;
    await transaction.$executeRaw`
      INSERT INTO "AnswerLogEntry" ("messageId", "sequence", "audioByteLength") VALUES ('msg_none', 1, 0)`;
  });
  await expect(transaction).rejects.toThrow("ForeignKeyConstraintViolation");
}

it("SQLite goes on after a commit that it refused, and keeps nothing of it", async () => {
  const { client } = (await TestParley.start("sqlite")).server.context.database;
  await refusedAtCommit(client);
  await client.$transaction((transaction) => write(transaction, "after"));
  expect(await written(client)).toEqual(["after"]);
  expect(await client.answerLogEntry.count()).toBe(0);
});

it("SQLite lets a transaction that has read go on to write, whatever another process wants to write", async () => {
  const parley = await TestParley.start("sqlite");
  const { client } = parley.server.context.database;
  const other = new BetterSqlite3(parley.databaseUrl.slice("file:".length), { timeout: 0 });
  await client.$transaction(async (transaction) => {
    await written(transaction);
    expect(() => other.exec(`INSERT INTO "EventCounter" VALUES ('other', 1)`)).toThrow("locked");
    await write(transaction, "inside");
  });
  other.close();
  expect(await written(client)).toEqual(["inside"]);
});

it("SQLite goes on after a transaction that it did not let begin", async () => {
  const { client } = (await TestParley.start("sqlite")).server.context.database;
  // One that nobody ends is open on the connection.
  await client.$executeRaw`BEGIN`;
  await expect(client.$transaction((transaction) => write(transaction, "refused"))).rejects.toThrow();
  await client.$transaction((transaction) => write(transaction, "after"));
  expect(await written(client)).toEqual(["after"]);
});

describe("SQLite's connection", () => {
  const statement = (sql: string) => ({ sql, args: [], argTypes: [] });
  const insert = statement("INSERT INTO numbers (number) VALUES (1)");

  async function connect() {
    const adapter = await inLine(new PrismaBetterSqlite3({ url: ":memory:" })).connect();
    await adapter.executeRaw(statement("CREATE TABLE numbers (number)"));
    return adapter;
  }

  it("is closed when all that waits behind a transaction is written", async () => {
    const adapter = await connect();
    const transaction = await adapter.startTransaction();
    const waiting = Array.from({ length: 20 }, () => adapter.executeRaw(insert));
    await transaction.executeRaw(statement("ROLLBACK"));
    const ended = [transaction.rollback(), adapter.dispose()];
    expect(await Promise.all(waiting)).toEqual(waiting.map(() => 1));
    await Promise.all(ended);
  });

  it("takes no statement of a transaction that is over", async () => {
    const adapter = await connect();
    const transaction = await adapter.startTransaction();
    await transaction.executeRaw(statement("ROLLBACK"));
    await transaction.rollback();
    await expect(transaction.executeRaw(insert)).rejects.toThrow("over");
    await expect(transaction.queryRaw(insert)).rejects.toThrow("over");
    await adapter.dispose();
  });
});
