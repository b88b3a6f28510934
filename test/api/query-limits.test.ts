import { describe, expect, it } from "@jest/globals";
import { getIntrospectionQuery, parse, validate } from "graphql";
import { createSchema } from "../../src/http/graphql.js";
import { maxQueryCost, queryCost } from "../../src/http/limits/query-cost.js";
import { everyField } from "../helpers/every-field.js";
import { sharedParley } from "../helpers/parley.js";
import { storeConversations, storeTurns } from "../helpers/stored-conversations.js";

const schema = createSchema();

// Every field of a turn, with the conversation it belongs to, each object of it one level down and back up again.
const upwards = (type: string) => `${type} { id }`;
const everyMessageField = `${everyField(schema, "Message", ["Message.audio"])} ${upwards("turn")}
  audio { ${everyField(schema, "AudioClip")} ${upwards("message")} }`;
const everyTurnField = `
  ${everyField(schema, "Turn", ["Turn.userMessage", "Turn.assistantMessage"])}
  conversation { ${everyField(schema, "Conversation", ["Conversation.activeTurn", "Conversation.turns"])} activeTurn { id } }
  userMessage { ${everyMessageField} }
  assistantMessage { ${everyMessageField} }`;
const everyConversationField = `${everyField(schema, "Conversation", ["Conversation.turns", "Conversation.activeTurn"])}
  activeTurn { ${everyTurnField} }`;
const pageInfo = "pageInfo { hasNextPage hasPreviousPage startCursor endCursor } totalCount";

const hundredTurns = `query ($id: ID!) {
  conversation(id: $id) {
    ${everyConversationField}
    turns(first: 100) { ${pageInfo} edges { cursor node { ${everyTurnField} } } }
  }
}`;

const twentyConversations = `query ($search: String) {
  conversations(first: 20, filter: { search: $search }) {
    ${pageInfo}
    edges { cursor node {
      ${everyConversationField}
      turns(last: 5) { ${pageInfo} edges { cursor node { ${everyTurnField} } } }
    } }
  }
}`;

const fullIntrospection = getIntrospectionQuery({
  descriptions: true,
  specifiedByUrl: true,
  directiveIsRepeatable: true,
  schemaDescription: true,
  inputValueDeprecation: true,
  oneOf: true,
});

function costOf(query: string, variables: Record<string, unknown> = {}): number {
  const document = parse(query);
  expect(validate(schema, document)).toEqual([]);
  return queryCost({ schema, document, variables });
}

describe("The limits of a query", () => {
  const shared = sharedParley("sqlite");

  async function refusal(query: string, variables: object = {}) {
    const { status, errors } = await shared().send(query, variables);
    return { status, codes: errors.map(({ extensions }) => extensions.code) };
  }

  const tooComplex = { status: 400, codes: expect.arrayContaining(["QUERY_TOO_COMPLEX"]) as unknown };

  it("admit 100 turns with every field but base64", async () => {
    const [id = ""] = await storeConversations(shared(), [{}]);
    await storeTurns(shared(), id, 100);
    const { conversation } = await shared().ask<{
      conversation: { turns: { edges: unknown[] } };
    }>(hundredTurns, { id });
    expect(conversation.turns.edges).toHaveLength(100);
    expect(costOf(hundredTurns, { id })).toBeLessThanOrEqual(maxQueryCost);
  });

  it("admit 20 conversations of 5 turns with every field", async () => {
    const ids = await storeConversations(
      shared(),
      Array.from({ length: 20 }, () => ({ title: "limits" })),
    );
    for (const id of ids) await storeTurns(shared(), id, 5);
    const { conversations } = await shared().ask<{
      conversations: { edges: { node: { turns: { edges: unknown[] } } }[] };
    }>(twentyConversations, { search: "limits" });
    expect(conversations.edges.map(({ node }) => node.turns.edges.length)).toEqual(ids.map(() => 5));
    expect(costOf(twentyConversations)).toBeLessThanOrEqual(maxQueryCost);
  });

  it("admit the full introspection", async () => {
    const { __schema } = await shared().ask<{ __schema: { types: unknown[] } }>(fullIntrospection);
    expect(__schema.types.length).toBeGreaterThan(40);
  });

  it("count a field as one thing where it takes no size, whatever it is called", () => {
    expect(costOf("{ viewer { limits { turns { limit } } } }")).toBe(4);
  });

  it("are told in each answer, with what the operation cost", async () => {
    const answerTo = async (query: string, accept: string) => {
      const headers = { "content-type": "application/json", accept };
      const body = JSON.stringify({ query });
      return (await fetch(`${shared().url}/graphql`, { method: "POST", headers, body })).json();
    };
    const cost = { requested: 2, limit: maxQueryCost };
    for (const accept of ["application/json", "application/graphql-response+json"]) {
      expect(await answerTo("{ viewer { id } }", accept)).toEqual({
        data: { viewer: { id: "viewer_local" } },
        extensions: { cost },
      });
      const missing = `mutation { archiveConversation(input: { conversationId: "x", archived: true }) { conversation { id } } }`;
      expect(await answerTo(missing, accept)).toMatchObject({
        errors: [{}],
        extensions: { cost: { requested: 3 } },
      });
      expect(await answerTo("{ nothing }", accept)).toEqual({ errors: [expect.any(Object)] });
    }
  });

  it("are told with the figures that are in docs/limits.md", () => {
    expect({
      hundredTurns: costOf(hundredTurns, { id: "conv_1" }),
      twentyConversations: costOf(twentyConversations),
      fullIntrospection: costOf(fullIntrospection),
      base64: costOf("query ($id: ID!) { node(id: $id) { ... on AudioClip { base64 } } }", { id: "clip_1" }),
    }).toEqual({ hundredTurns: 10_922, twentyConversations: 13_401, fullIntrospection: 230, base64: 8_001 });
  });

  it("count what a list may hold, and refuse what reads too much before any of it runs", async () => {
    const statements = shared().statements.length;
    const upAndDown = (depth: number): string =>
      depth === 0 ? "id" : `conversation { turns { nodes { ${upAndDown(depth - 1)} } } }`;
    const node = "query ($id: ID!) { node(id: $id) { ... on Turn";
    const id = "turn_01K00000000000000000000000";
    expect(await refusal(`${node} { ${upAndDown(3)} } } }`, { id })).toMatchObject({
      status: 200,
      codes: [],
    });
    const beyond: [query: string, variables?: object][] = [
      [`${node} { ${upAndDown(4)} } } }`, { id }],
      [`{ conversations(first: 100) { nodes { turns(first: 100) { nodes { id status position } } } } }`],
      [
        `query ($n: Int) { conversations(first: $n) { nodes { turns(last: $n) { nodes { id status position } } } } }`,
        { n: 100 },
      ],
      [
        `query ($n: Int = 100) { conversations(first: $n) { nodes { turns(last: $n) { nodes { id status position } } } } }`,
      ],
      [
        `{ conversations(first: 30) { nodes { turns(first: 1) { nodes { userMessage { audio { base64 } } } } } } }`,
      ],
      [
        `query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Conversation { turns(first: 100) { nodes { id status position } } } } }`,
        { ids: Array.from({ length: 100 }, () => "conv_1") },
      ],
      [
        `query { ...a } fragment a on Query { conversations(first: 100) { nodes { ...b } } } fragment b on Conversation { turns(first: 100) { nodes { id status position } } }`,
      ],
    ];
    for (const [query, variables] of beyond) {
      expect([query, await refusal(query, variables)]).toEqual([query, tooComplex]);
    }
    // What the server sweeps by itself meanwhile reads other tables.
    const reads = shared()
      .statements.slice(statements)
      .filter((sql) => sql.includes("`Conversation`"));
    expect(reads).toEqual([]);
  });

  it("let three clips with their bytes through, and no more", async () => {
    const query = (count: number) =>
      `{ conversations(first: 1) { nodes { turns(first: ${count}) { nodes { userMessage { audio { base64 } } } } } } }`;
    expect((await refusal(query(3))).codes).toEqual([]);
    expect(await refusal(query(4))).toEqual(tooComplex);
  });

  it("refuse aliases, directives and repetitions that no client needs", async () => {
    const many = (count: number, part: (index: number) => string) =>
      Array.from({ length: count }, (_, index) => part(index)).join(" ");
    expect((await refusal(`{ ${many(15, (index) => `a${index}: __typename`)} }`)).codes).toEqual([]);
    expect((await refusal(`{ ${many(10, () => "__typename")} }`)).codes).toEqual([]);
    const beyond = [
      `{ ${many(16, (index) => `a${index}: __typename`)} }`,
      `{ ...a ...b } fragment a on Query { ${many(8, (index) => `a${index}: __typename`)} } fragment b on Query { ${many(8, (index) => `b${index}: __typename`)} }`,
      `{ ${many(11, () => "__typename")} }`,
      `{ ${many(14_000, () => "__typename")} }`,
      `{ ${many(2_000, () => "... { viewer { id } }")} }`,
      `{ ...f0 } ${many(100, (index) => `fragment f${index} on Query { ...f${index + 1} ...f${index + 1} }`)} fragment f100 on Query { __typename }`,
    ];
    for (const query of beyond)
      expect([query.slice(0, 80), await refusal(query)]).toEqual([query.slice(0, 80), tooComplex]);
  });

  it("refuse directives in heaps, which graphql-js calls repeated or unknown", async () => {
    const heaps = [
      "@skip(if: false) ".repeat(6),
      "@skip(if: false) ".repeat(2_000),
      "@nothing ".repeat(7_000),
    ];
    for (const heap of heaps) {
      const { status, errors } = await shared().send(`{ __typename ${heap} }`);
      expect([status, errors.length > 0, errors.length <= 6]).toEqual([400, true, true]);
    }
  });

  it("refuse a document that is too long to read, and one whose fragments go in circles", async () => {
    const tooLong = `{ ${"__typename ".repeat(15_000)} }`;
    expect(await refusal(tooLong)).toEqual({ status: 400, codes: ["GRAPHQL_PARSE_FAILED"] });
    const circle = "{ ...a } fragment a on Query { ...b } fragment b on Query { ...a }";
    expect(await refusal(circle)).toEqual({ status: 400, codes: ["GRAPHQL_VALIDATION_FAILED"] });
    const types = (depth: number): string =>
      depth === 0 ? "name" : `fields { name type { ${types(depth - 1)} } }`;
    expect(await refusal(`{ __schema { types { ${types(5)} } } }`)).toEqual({
      status: 400,
      codes: ["GRAPHQL_VALIDATION_FAILED"],
    });
    const { status, errors } = await shared().send(`{ ${"a { ".repeat(7_000)} b ${"} ".repeat(7_000)} }`);
    expect([status, errors]).toEqual([
      400,
      [
        expect.objectContaining({
          message: "The document nests its fields too deeply to be read.",
          extensions: expect.objectContaining({ code: "GRAPHQL_PARSE_FAILED" }),
        }),
      ],
    ]);
  });
});
