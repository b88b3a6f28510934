import { expect, it } from "@jest/globals";
import { onEachDatabase } from "../helpers/databases.js";
import { turnFields } from "../helpers/operations.js";
import { sharedParley } from "../helpers/parley.js";
import type { TestParley } from "../helpers/parley.js";
import { storeConversations, storeTurns } from "../helpers/stored-conversations.js";

async function statementsFor(parley: TestParley, query: string, variables: object): Promise<string[]> {
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
