import { expect, it } from "@jest/globals";
import fc from "fast-check";
import { onEachDatabase } from "../helpers/databases.js";
import { sharedParley } from "../helpers/parley.js";
import type { TestParley } from "../helpers/parley.js";
import { storeConversations, storeTurns } from "../helpers/stored-conversations.js";

interface Connection {
  edges: { cursor: string; node: { id: string } }[];
  nodes: { id: string }[];
  pageInfo: {
    hasNextPage: boolean;
    hasPreviousPage: boolean;
    startCursor: string | null;
    endCursor: string | null;
  };
  totalCount: number;
}

interface Page {
  first?: number | null;
  after?: string | null;
  last?: number | null;
  before?: string | null;
}

type ReadPage = (page: Page) => Promise<Connection>;

const connectionFields = `edges { cursor node { id } } nodes { id } totalCount
  pageInfo { hasNextPage hasPreviousPage startCursor endCursor }`;
const pageVariables = "$first: Int, $after: String, $last: Int, $before: String";
const pageArguments = "first: $first, after: $after, last: $last, before: $before";

const conversationsQuery = `query (${pageVariables}, $orderBy: ConversationOrder!, $filter: ConversationFilter!) {
  conversations(${pageArguments}, orderBy: $orderBy, filter: $filter) { ${connectionFields} }
}`;
const turnsQuery = `query (${pageVariables}, $id: ID!) {
  conversation(id: $id) { turns(${pageArguments}) { ${connectionFields} } }
}`;

const orders = ["LAST_ACTIVITY_AT", "CREATED_AT", "TITLE"].flatMap((field) =>
  ["ASC", "DESC"].map((direction) => ({ field, direction })),
);

/** Walks the list to its end and checks what each page says of itself. */
async function walkForward(read: ReadPage, size: number): Promise<string[]> {
  const ids: string[] = [];
  let after: string | null = null;
  for (;;) {
    const page: Connection = await read({ first: size, after });
    checkPage(page, size);
    expect(page.pageInfo.hasPreviousPage).toBe(after !== null);
    ids.push(...page.nodes.map(({ id }) => id));
    if (!page.pageInfo.hasNextPage) return ids;
    expect(page.nodes).toHaveLength(size);
    after = page.pageInfo.endCursor;
  }
}

async function walkBackward(read: ReadPage, size: number): Promise<string[]> {
  const ids: string[] = [];
  let before: string | null = null;
  for (;;) {
    const page: Connection = await read({ last: size, before });
    checkPage(page, size);
    expect(page.pageInfo.hasNextPage).toBe(before !== null);
    ids.unshift(...page.nodes.map(({ id }) => id));
    if (!page.pageInfo.hasPreviousPage) return ids;
    expect(page.nodes).toHaveLength(size);
    before = page.pageInfo.startCursor;
  }
}

function checkPage(page: Connection, size: number): void {
  expect(page.nodes.length).toBeLessThanOrEqual(size);
  expect(page.edges.map(({ node }) => node)).toEqual(page.nodes);
  expect(page.pageInfo.startCursor).toBe(page.edges[0]?.cursor ?? null);
  expect(page.pageInfo.endCursor).toBe(page.edges.at(-1)?.cursor ?? null);
}

/** A list of conversations whose titles begin with the mark. */
function conversationsOf(parley: TestParley, mark: string, orderBy: object): ReadPage {
  return async (page) => {
    const variables = { ...page, orderBy, filter: { search: mark } };
    return (await parley.ask<{ conversations: Connection }>(conversationsQuery, variables)).conversations;
  };
}

function turnsOf(parley: TestParley, id: string): ReadPage {
  return async (page) => {
    const data = await parley.ask<{ conversation: { turns: Connection } }>(turnsQuery, { ...page, id });
    return data.conversation.turns;
  };
}

onEachDatabase("Paging", (kind) => {
  const shared = sharedParley(kind);

  it("by pages of any size gives the whole list once, in order, from either end, over ties", async () => {
    const parley = shared();
    const minute = (index: number) => new Date(Date.UTC(2026, 0, 1, 0, index % 4));
    const titles = ["tied", "tied Ä", "tied 🐕", "tied %", "TIED"];
    await storeConversations(
      parley,
      Array.from({ length: 23 }, (_, index) => ({ title: titles[index % 5] ?? null, at: minute(index) })),
    );
    const whole = new Map<string, string[]>();
    for (const order of orders) {
      const { nodes, totalCount } = await conversationsOf(parley, "tied", order)({ first: 100 });
      expect(totalCount).toBe(23);
      whole.set(
        JSON.stringify(order),
        nodes.map(({ id }) => id),
      );
    }
    for (const field of ["LAST_ACTIVITY_AT", "CREATED_AT", "TITLE"]) {
      const [up, down] = ["ASC", "DESC"].map((direction) => whole.get(JSON.stringify({ field, direction })));
      expect(new Set(up)).toHaveProperty("size", 23);
      expect(down).toEqual(up?.toReversed());
    }
    const anySize = fc.integer({ min: 1, max: 25 });
    const walk = fc.asyncProperty(fc.constantFrom(...orders), anySize, async (order, size) => {
      const read = conversationsOf(parley, "tied", order);
      expect(await walkForward(read, size)).toEqual(whole.get(JSON.stringify(order)));
      expect(await walkBackward(read, size)).toEqual(whole.get(JSON.stringify(order)));
    });
    await fc.assert(walk, { numRuns: 12 });
  });

  it("of turns gives them all once, in the order in which they were added, from either end", async () => {
    const parley = shared();
    const [id = ""] = await storeConversations(parley, [{}]);
    const ids = await storeTurns(parley, id, 23);
    const read = turnsOf(parley, id);
    for (const size of [1, 7, 23, 100]) {
      expect(await walkForward(read, size)).toEqual(ids);
      expect(await walkBackward(read, size)).toEqual(ids);
    }
    expect(await read({})).toMatchObject({
      totalCount: 23,
      nodes: ids.slice(0, 20).map((turnId) => ({ id: turnId })),
    });
  });

  it("between two cursors gives what lies between them", async () => {
    const parley = shared();
    const [id = ""] = await storeConversations(parley, [{}]);
    const ids = await storeTurns(parley, id, 6);
    const read = turnsOf(parley, id);
    const { edges } = await read({});
    const [after, before] = [edges[0]?.cursor ?? "", edges[5]?.cursor ?? ""];
    const between = ids.slice(1, 5).map((turnId) => ({ id: turnId }));
    expect((await read({ after, before })).nodes).toEqual(between);
    expect((await read({ first: 2, after, before })).nodes).toEqual(between.slice(0, 2));
    expect((await read({ last: 2, after, before })).nodes).toEqual(between.slice(2));
    expect((await read({ first: 5, after: before })).nodes).toEqual([]);
  });

  it("goes on after a cursor whose row was deleted meanwhile", async () => {
    const parley = shared();
    const ids = await storeConversations(
      parley,
      ["gone a", "gone b", "gone c"].map((title) => ({ title })),
    );
    const read = conversationsOf(parley, "gone", { field: "TITLE", direction: "ASC" });
    const { pageInfo } = await read({ first: 2 });
    await parley.ask(
      `mutation ($id: ID!) { deleteConversation(input: { conversationId: $id }) { __typename } }`,
      {
        id: ids[1],
      },
    );
    expect(await read({ first: 2, after: pageInfo.endCursor })).toMatchObject({
      nodes: [{ id: ids[2] }],
      totalCount: 2,
    });
  });

  it("takes 0 to 100, of one end", async () => {
    const parley = shared();
    const [id = ""] = await storeConversations(parley, [{ title: "edges" }]);
    await storeTurns(parley, id, 2);
    const order = { field: "TITLE", direction: "ASC" };
    for (const read of [conversationsOf(parley, "edges", order), turnsOf(parley, id)]) {
      const empty = { edges: [], nodes: [], pageInfo: { startCursor: null, endCursor: null } };
      const none = await read({ first: 0 });
      expect(none).toMatchObject({ ...empty, totalCount: none.totalCount });
      expect(none.pageInfo).toMatchObject({ hasNextPage: true, hasPreviousPage: false });
      expect((await read({ last: 0 })).pageInfo).toMatchObject({ hasNextPage: false, hasPreviousPage: true });
      expect((await read({ last: 100 })).nodes).toHaveLength(none.totalCount);
    }
    const refused: Page[] = [
      { first: 101 },
      { first: 2 ** 31 - 1 },
      { last: -(2 ** 31) },
      { first: -1 },
      { last: 101 },
      { last: -1 },
      { first: 1, last: 1 },
    ];
    for (const page of refused) {
      expect([page, await codes(parley, id, page)]).toEqual([page, ["BAD_USER_INPUT", "BAD_USER_INPUT"]]);
    }
  });

  it("refuses a cursor that is garbled, hostile or of another list or order", async () => {
    const parley = shared();
    const [id = "", other = ""] = await storeConversations(parley, [{ title: "a" }, { title: "b" }]);
    await storeTurns(parley, id, 1);
    await storeTurns(parley, other, 1);
    const byTitle = await conversationsOf(parley, "b", { field: "TITLE", direction: "ASC" })({});
    const ofOther = await turnsOf(parley, other)({});
    const cursors = [
      byTitle.edges[0]?.cursor ?? "",
      ofOther.edges[0]?.cursor ?? "",
      ...garbledCursors,
      ...hostileCursors("conversations LAST_ACTIVITY_AT DESC", "conv"),
      ...hostileCursors(`turns ${id}`, "turn"),
    ];
    for (const cursor of cursors) {
      for (const page of [{ after: cursor }, { last: 1, before: cursor }]) {
        expect([page, await codes(parley, id, page)]).toEqual([page, ["BAD_USER_INPUT", "BAD_USER_INPUT"]]);
      }
    }
  });

  it("refuses cursors of titles that no database can hold, and lives with the ends of every range", async () => {
    const parley = shared();
    const query = `query ($after: String) {
      conversations(after: $after, orderBy: { field: TITLE }) { totalCount }
    }`;
    const key = `conv_${"0".repeat(26)}`;
    for (const title of ["\0", "\ud800", "a\0b"]) {
      const after = cursorOf(["conversations TITLE DESC", title, key]);
      const { errors } = await parley.send(query, { after });
      expect(errors.map(({ extensions }) => extensions.code)).toEqual(["BAD_USER_INPUT"]);
    }
    const [id = ""] = await storeConversations(parley, [{}]);
    for (const position of [0, 2 ** 31 - 1]) {
      const cursor = cursorOf([`turns ${id}`, position, key.replace("conv", "turn")]);
      for (const page of [{ after: cursor }, { before: cursor }, { last: 100, before: cursor }])
        expect((await turnsOf(parley, id)(page)).nodes).toEqual([]);
    }
    for (const title of ["", "'; DROP TABLE", "%", "\u202e🐕", "x".repeat(10_000)]) {
      const { errors } = await parley.send(query, {
        after: cursorOf(["conversations TITLE DESC", title, key]),
      });
      expect(errors).toEqual([]);
    }
  });
});

/** What the same page is refused with for conversations and for turns. */
async function codes(parley: TestParley, id: string, page: Page): Promise<(string | undefined)[]> {
  const order = { field: "LAST_ACTIVITY_AT", direction: "DESC" };
  const ofConversations = await parley.send(conversationsQuery, { ...page, orderBy: order, filter: {} });
  const ofTurns = await parley.send(turnsQuery, { ...page, id });
  return [ofConversations, ofTurns].map(({ errors }) => errors[0]?.extensions.code);
}

const garbledCursors = [
  "",
  " ",
  "null",
  "0",
  "e30",
  "W10",
  "\0",
  "\ud800",
  "ö",
  "=".repeat(50),
  "A".repeat(100_000),
];

/** Cursors that look right, with a key that a database could choke on. */
function hostileCursors(list: string, prefix: string): string[] {
  const id = `${prefix}_${"0".repeat(26)}`;
  const keys: unknown[] = [null, true, {}, [], 1.5, -1, 1e308, 2 ** 53, 2 ** 31, 8.64e15 + 1, "1", "", "\0"];
  return [
    ...keys.filter((key) => prefix === "turn" || key !== 2 ** 31).map((key) => cursorOf([list, key, id])),
    ...["", "\0", "'", `${id}\0`, `${prefix}_`, null, 1].map((other) => cursorOf([list, 1, other])),
    cursorOf([list, 1]),
    cursorOf([list, 1, id, 1]),
    cursorOf({ list }),
  ];
}

function cursorOf(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}
