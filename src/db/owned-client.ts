import type { DatabaseClient } from "./database.js";
import type { Prisma } from "./generated/sqlite/client.js";

/** Whose rows are read and written. */
export interface Owner {
  readonly id: string;
  /** Null where only the owner is known, whose id is never that of a person of another tenant. */
  readonly tenantId: string | null;
}

/**
 * What the condition is made of. `none`: rows that nobody asks for by an id, reached from an owned row (the log of an answer,
 * calls to the model: a condition on the owner would keep SQLite from the index that fits), counted for an owner that the
 * statement names, or of the server itself. A model without a line here does not compile.
 */
const columns: Readonly<Record<Prisma.ModelName, "owner and tenant" | "owner" | "none">> = {
  Conversation: "owner and tenant",
  Turn: "owner and tenant",
  Message: "owner",
  AudioClip: "owner",
  ConversationEvent: "owner",
  IdempotencyKey: "owner",
  AudioUpload: "owner and tenant",
  Deletion: "owner and tenant",
  AnswerLogEntry: "none",
  ModelCall: "none",
  EventCounter: "none",
  DeletionFile: "none",
  ApiKey: "none",
  SigningKey: "none",
  RateWindow: "none",
  SpendDay: "none",
  BudgetReservation: "none",
};
/** What makes rows: they become the owner's. */
const making: ReadonlySet<string> = new Set(["create", "createMany", "createManyAndReturn"]);

const clients = new WeakMap<DatabaseClient, Map<string, DatabaseClient>>();
/** More people than are usually there within a minute; those that asked longest ago are forgotten. */
const maxClients = 1_000;

/**
 * The database as one owner sees it: every statement of Prisma's methods, in transactions too, has the owner in its
 * condition, and what it makes is the owner's. Whatever is done for somebody who asks is done through this client, so that
 * no query can forget the condition, and what is not theirs is not there. SQL that is written by hand is not changed.
 */
export function ownedClient(client: DatabaseClient, owner: Owner): DatabaseClient {
  const known = clients.get(client) ?? new Map<string, DatabaseClient>();
  clients.set(client, known);
  const key = JSON.stringify([owner.tenantId, owner.id]);
  const found = known.get(key) ?? bind(client, owner);
  known.delete(key);
  known.set(key, found);
  const [oldest] = known.keys();
  if (known.size > maxClients && oldest !== undefined) known.delete(oldest);
  return found;
}

function bind(client: DatabaseClient, owner: Owner): DatabaseClient {
  const bound = client.$extends({
    query: {
      $allModels: {
        $allOperations: ({ model, operation, args, query }): Promise<unknown> =>
          query(ownedArguments(model, operation, args, owner)),
      },
    },
  });
  // The same methods with the same types, but for `$on`, which is asked of the client itself.
  return bound as unknown as DatabaseClient;
}

interface Arguments {
  where?: object;
  data?: object | object[];
  create?: object;
}

/** Exported for its table of tests. */
export function ownedArguments<Args>(
  model: Prisma.ModelName,
  operation: string,
  args: Args,
  owner: Owner,
): Args {
  const bound = columns[model];
  if (bound === "none") return args;
  const { id: ownerId, tenantId } = owner;
  const condition = { ownerId, ...(bound === "owner" || tenantId === null ? {} : { tenantId }) };
  const given = (args ?? {}) as Arguments;
  if (making.has(operation)) {
    const { data } = given;
    const owned = isRows(data) ? data.map((row) => ({ ...row, ...condition })) : { ...data, ...condition };
    return { ...given, data: owned } as Args;
  }
  const where = { ...given.where, AND: [condition, ...conditionsOf(given.where)] };
  if (operation !== "upsert") return { ...given, where } as Args;
  return { ...given, where, create: { ...given.create, ...condition } } as Args;
}

function isRows(data: object | undefined): data is object[] {
  return Array.isArray(data);
}

function conditionsOf(where: object | undefined): unknown[] {
  if (where === undefined || !("AND" in where)) return [];
  return Array.isArray(where.AND) ? where.AND : [where.AND];
}
