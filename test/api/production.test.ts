import { describe, expect, it } from "@jest/globals";
import { getIntrospectionQuery } from "graphql";
import { sharedParley } from "../helpers/parley.js";
import type { GraphqlError, TestParley } from "../helpers/parley.js";
import { subscribe } from "../helpers/subscriptions.js";

const production = { NODE_ENV: "production", STAND_IN: "1" };

const introspectionIsOff = {
  message: "Introspection is off here. INTROSPECTION=1 turns it on; schema.graphql holds the schema.",
  extensions: { code: "GRAPHQL_VALIDATION_FAILED" },
};

const explorersAreOff =
  "Explorers are off here; EXPLORERS=1 turns them on. Programs ask the API at /graphql.";

async function refusals(parley: TestParley, query: string, variables: object = {}): Promise<GraphqlError[]> {
  const { errors } = await parley.send(query, variables);
  expect(errors.length).toBeGreaterThan(0);
  return errors;
}

async function messages(parley: TestParley, query: string, variables: object = {}): Promise<string> {
  return JSON.stringify(await refusals(parley, query, variables));
}

function page(parley: TestParley, path: string): Promise<Response> {
  return fetch(parley.url + path, { headers: { accept: "text/html" } });
}

/** A mistake in each place where graphql-js would suggest the right word. */
const typos: [query: string, variables?: object][] = [
  ["{ conversatons { totalCount } }"],
  ["{ viewer { usag { estimated } } }"],
  ["{ conversations(frist: 1) { totalCount } }"],
  ["{ conversations(orderBy: { field: TITEL }) { totalCount } }"],
  ["{ conversations(filter: { serch: null }) { totalCount } }"],
  ["query ($o: ConversationOrdr) { viewer { id } }"],
  ["{ node(id: 1) { ... on Conversatio { id } } }"],
  [
    "mutation ($i: StartConversationInput!) { startConversation(input: $i) { conversation { id } } }",
    { i: { titel: "a" } },
  ],
  ["query ($o: ConversationOrder!) { conversations(orderBy: $o) { totalCount } }", { o: { field: "TITEL" } }],
];

describe("In production", () => {
  const plain = sharedParley("sqlite", { env: production });
  const open = sharedParley("sqlite", { env: { ...production, INTROSPECTION: "1", EXPLORERS: "1" } });

  it("the schema is not told, by introspection or by suggestions", async () => {
    for (const query of [
      getIntrospectionQuery(),
      "{ __schema { queryType { name } } }",
      '{ __type(name: "Turn") { name } }',
    ])
      for (const error of await refusals(plain(), query)) expect(error).toMatchObject(introspectionIsOff);
    expect(await plain().ask("{ __typename viewer { __typename } }")).toEqual({
      __typename: "Query",
      viewer: { __typename: "Viewer" },
    });
    for (const [query, variables] of typos)
      expect(await messages(plain(), query, variables)).not.toMatch(/did you mean/i);
  });

  it("the schema is not told over a WebSocket either, in the same words", async () => {
    const events = subscribe("websocket", plain().url, "{ __schema { queryType { name } } }");
    const { value } = await events.next();
    expect(value).toMatchObject({ errors: [introspectionIsOff, introspectionIsOff] });
  });

  it("there is no page to explore it with", async () => {
    for (const path of ["/graphql", "/graphiql", "/graphiql/"]) {
      const response = await page(plain(), path);
      expect([response.status, await response.json()]).toMatchObject([
        404,
        { errors: [{ message: explorersAreOff, extensions: { code: "NOT_FOUND" } }] },
      ]);
    }
  });

  it("a program's query by GET is answered, also one that takes pages", async () => {
    const accept = "application/json, text/html";
    const headers = { accept, authorization: "Bearer any", "apollo-require-preflight": "true" };
    const response = await fetch(`${plain().url}/graphql?query={__typename}`, { headers });
    expect(await response.json()).toMatchObject({ data: { __typename: "Query" } });
  });

  it("both are there where they are set on", async () => {
    const { __schema } = await open().ask<{ __schema: { types: unknown[] } }>(getIntrospectionQuery());
    expect(__schema.types.length).toBeGreaterThan(40);
    expect(await messages(open(), "{ conversatons { totalCount } }")).toContain("Did you mean");
    const landing = await page(open(), "/graphql");
    expect([landing.status, await landing.text()]).toEqual([200, expect.stringMatching(/<html/i)]);
    expect((await page(open(), "/graphiql")).status).not.toBe(404);
  });
});

describe("Outside of production", () => {
  const parley = sharedParley("sqlite");

  it("the schema, suggestions and explorers are there", async () => {
    expect(await parley().ask('{ __type(name: "Turn") { name } }')).toEqual({ __type: { name: "Turn" } });
    for (const [query, variables] of typos)
      expect(await messages(parley(), query, variables)).toMatch(/did you mean/i);
    expect((await page(parley(), "/graphql")).headers.get("content-type")).toContain("text/html");
  });
});
