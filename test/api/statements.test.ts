import { describe, expect, it } from "@jest/globals";
import { onEachDatabase } from "../helpers/databases.js";
import { turnFields } from "../helpers/operations.js";
import { sharedParley, TestParley } from "../helpers/parley.js";
import { openSql } from "../helpers/sql.js";
import { storeConversations, storeTurns } from "../helpers/stored-conversations.js";

/** What the server does by itself does not count. */
async function endOwnWork(parley: TestParley): Promise<void> {
  const { housekeeping, deletions, recovery } = parley.server.context;
  await Promise.all([housekeeping.close(), deletions.close(), recovery.close()]);
}

async function statementsFor(parley: TestParley, query: string, variables: object): Promise<string[]> {
  await endOwnWork(parley);
  parley.statements.length = 0;
  await parley.ask(query, variables);
  return [...parley.statements];
}

const readConversation = `query ($id: ID!) {
  conversation(id: $id) {
    title activeTurn { id } usage { ...UsageFields }
    turns(first: 100) { totalCount nodes { ...TurnFields } }
  }
}
${turnFields}`;

const listConversations = `query ($search: String!) {
  conversations(first: 20, filter: { search: $search }) {
    totalCount
    nodes {
      title activeTurn { id } usage { ...UsageFields }
      turns(last: 5) { totalCount nodes { ...TurnFields } }
    }
  }
}
${turnFields}`;

onEachDatabase("The number of SQL statements", (kind) => {
  const shared = sharedParley(kind);

  it("is the same for a conversation of 100 turns as for one of 2", async () => {
    const parley = shared();
    const [short = "", long = ""] = await storeConversations(parley, [{}, {}]);
    await storeTurns(parley, short, 2);
    await storeTurns(parley, long, 100);
    const few = await statementsFor(parley, readConversation, { id: short });
    const many = await statementsFor(parley, readConversation, { id: long });
    expect(many).toHaveLength(few.length);
    expect(many.length).toBeGreaterThan(0);
    expect(many.length).toBeLessThanOrEqual(8);
  });

  it("is the same for 20 conversations with turns as for 2", async () => {
    const parley = shared();
    for (const [title, count] of [
      ["few", 2],
      ["many", 20],
    ] as const) {
      const ids = await storeConversations(
        parley,
        Array.from({ length: count }, () => ({ title })),
      );
      for (const id of ids) await storeTurns(parley, id, 5);
    }
    const few = await statementsFor(parley, listConversations, { search: "few" });
    const many = await statementsFor(parley, listConversations, { search: "many" });
    expect(many).toHaveLength(few.length);
    expect(many.length).toBeLessThanOrEqual(10);
  });
});

const listInOrder = `query ($after: String, $orderBy: ConversationOrder!, $filter: ConversationFilter) {
  conversations(first: 2, after: $after, orderBy: $orderBy, filter: $filter) {
    totalCount pageInfo { endCursor } nodes { id }
  }
}`;
const orders = ["LAST_ACTIVITY_AT", "CREATED_AT", "TITLE"].flatMap((field) =>
  ["ASC", "DESC"].map((direction) => ({ field, direction })),
);
const pageTurns = `query ($id: ID!, $after: String) {
  conversation(id: $id) { turns(first: 2, after: $after) { totalCount pageInfo { endCursor } nodes { id } } }
}`;

/** How SQLite goes about a statement of the log, step by step. */
async function planOf(parley: TestParley, statement: string): Promise<string[]> {
  const sql = await openSql(`file:${parley.folder}/parley.db`);
  const rows = (await sql(`EXPLAIN QUERY PLAN ${statement.replaceAll("?", "1")}`)) as { detail: string }[];
  return rows.map(({ detail }) => detail);
}

describe("A list", () => {
  it("is read by an index in each order and filter, at its start and further on, and never sorted", async () => {
    const parley = await TestParley.start("sqlite");
    const titles = ["a", "b", "c", "d"].map((title) => ({ title }));
    const [id = ""] = await storeConversations(parley, titles);
    await storeTurns(parley, id, 5);
    await endOwnWork(parley);
    parley.statements.length = 0;
    for (const orderBy of orders) {
      for (const filter of [{}, { archived: true }, { search: "a" }]) {
        const { conversations } = await parley.ask<{
          conversations: { pageInfo: { endCursor: string | null } };
        }>(listInOrder, { orderBy, filter });
        await parley.ask(listInOrder, { orderBy, filter, after: conversations.pageInfo.endCursor });
      }
    }
    const { conversation } = await parley.ask<{
      conversation: { turns: { pageInfo: { endCursor: string } } };
    }>(pageTurns, { id });
    await parley.ask(pageTurns, { id, after: conversation.turns.pageInfo.endCursor });
    await parley.ask(readConversation, { id });

    // What a request does beside it is not the list's.
    const statements = [...new Set(parley.statements)].filter((statement) =>
      /^SELECT .* FROM `main`\.`(Conversation|Turn|Message|AudioClip|ModelCall)`/s.test(statement),
    );
    expect(statements.length).toBeGreaterThan(15);
    const slow: string[] = [];
    for (const statement of statements) {
      const plan = await planOf(parley, statement);
      const steps = plan.filter((step) => /^SCAN (?!sub|\()|TEMP B-TREE FOR ORDER BY/.test(step));
      if (steps.length > 0) slow.push(`${steps.join("; ")}: ${statement}`);
    }
    expect(slow).toEqual([]);
  });
});
