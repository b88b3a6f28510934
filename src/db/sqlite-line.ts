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
    startTransaction: async () => beginTransaction(adapter, await line.enter()),
    dispose: () => line.pass(() => adapter.dispose()),
  };
}

/**
 * Not by the adapter's own way, which lets no other transaction begin after one BEGIN that failed. SQLite has one level of
 * isolation, the strictest. IMMEDIATE waits for the command line beside a server, say, where it writes: a transaction that
 * has begun by reading is refused its first write at once when another process has written meanwhile.
 */
async function beginTransaction(adapter: Adapter, leave: () => void): Promise<Transaction> {
  try {
    await adapter.executeRaw(statement("BEGIN IMMEDIATE"));
    return transactionInLine(adapter, leave);
  } catch (error) {
    await rollBack(adapter);
    leave();
    throw error;
  }
}

/** Prisma ends each transaction by `commit` or `rollback`, after the statement that does it; a refused one by `rollback`. */
function transactionInLine(adapter: Adapter, leave: () => void): Transaction {
  const { provider, adapterName } = adapter;
  let commitRefused = false;
  let isOver = false;
  const end = () => {
    isOver = true;
    leave();
  };
  /** The connection is somebody else's by then. */
  const refuseWhenOver = () => {
    if (isOver) throw new Error("The transaction is over.");
  };
  return {
    provider,
    adapterName,
    // Its statements COMMIT and ROLLBACK are sent by Prisma.
    options: { usePhantomQuery: false },
    queryRaw: async (query) => {
      refuseWhenOver();
      return adapter.queryRaw(query);
    },
    executeRaw: async (query) => {
      refuseWhenOver();
      try {
        return await adapter.executeRaw(query);
      } catch (error) {
        commitRefused ||= query.sql === "COMMIT";
        throw error;
      }
    },
    commit: () => {
      end();
      return Promise.resolve();
    },
    rollback: async () => {
      // SQLite leaves a transaction open whose commit it refuses, and Prisma takes it for ended: no other could begin.
      if (commitRefused) await rollBack(adapter);
      end();
    },
  };
}

/** Where nothing is open there is nothing to roll back. */
async function rollBack(adapter: Adapter): Promise<void> {
  await adapter.executeRaw(statement("ROLLBACK")).catch(() => undefined);
}

function statement(sql: string): Query {
  return { sql, args: [], argTypes: [] };
}

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
