import { expect, it } from "@jest/globals";
import type { DatabaseClient, DatabaseTransaction } from "../../src/db/database.js";
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
