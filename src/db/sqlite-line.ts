import type { PrismaBetterSqlite3 } from "@prisma/adapter-better-sqlite3";

type Factory = Pick<InstanceType<typeof PrismaBetterSqlite3>, "provider" | "adapterName" | "connect">;
type Adapter = Awaited<ReturnType<Factory["connect"]>>;
type Transaction = Awaited<ReturnType<Adapter["startTransaction"]>>;
type Query = Parameters<Transaction["executeRaw"]>[0];

/**
 * Lets a statement or a transaction begin when all that came before it are over. Prisma's adapter has one connection and
 * makes only transactions wait for each other: a statement of another request is sent into the middle of whichever is
 * open. It would see what is not committed, and what it writes would be gone with a rollback though its request was told
 * that it is kept. Within a transaction, whoever waits for a statement of the client outside it waits until it times out.
 */
export function inLine(factory: Factory): Factory {
  const { provider, adapterName } = factory;
  return { provider, adapterName, connect: async () => adapterInLine(await factory.connect()) };
}

function adapterInLine(adapter: Adapter): Adapter {
  const { provider, adapterName } = adapter;
  const line = new Line();
  return {
    provider,
    adapterName,
    queryRaw: (query) => line.pass(() => adapter.queryRaw(query)),
    executeRaw: (query) => line.pass(() => adapter.executeRaw(query)),
    executeScript: (script) => line.pass(() => adapter.executeScript(script)),
    startTransaction: async (isolationLevel) => {
      const leave = await line.enter();
      try {
        return transactionInLine(await adapter.startTransaction(isolationLevel), leave);
      } catch (error) {
        leave();
        throw error;
      }
    },
    dispose: () => adapter.dispose(),
  };
}

/** Prisma ends each transaction by `commit` or `rollback`, after the statement that does it; a refused one by `rollback`. */
function transactionInLine(transaction: Transaction, leave: () => void): Transaction {
  const { provider, adapterName, options } = transaction;
  let commitRefused = false;
  return {
    provider,
    adapterName,
    options,
    queryRaw: (query) => transaction.queryRaw(query),
    executeRaw: async (query) => {
      try {
        return await transaction.executeRaw(query);
      } catch (error) {
        commitRefused ||= query.sql === "COMMIT";
        throw error;
      }
    },
    commit: () => transaction.commit().finally(leave),
    rollback: async () => {
      // SQLite leaves a transaction open whose commit it refuses, and Prisma takes it for ended: no other could begin.
      if (commitRefused) await transaction.executeRaw(rollback).catch(() => undefined);
      await transaction.rollback().finally(leave);
    },
  };
}

const rollback: Query = { sql: "ROLLBACK", args: [], argTypes: [] };

class Line {
  #last: Promise<void> = Promise.resolve();

  /** Resolves when all who entered before have left; answers how to leave. */
  async enter(): Promise<() => void> {
    const before = this.#last;
    let leave = (): void => undefined;
    this.#last = new Promise((resolve) => {
      leave = resolve;
    });
    await before;
    return leave;
  }

  async pass<Answer>(action: () => Promise<Answer>): Promise<Answer> {
    const leave = await this.enter();
    try {
      return await action();
    } finally {
      leave();
    }
  }
}
