import { connect } from "node:net";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "@jest/globals";
import { onEachDatabase } from "../helpers/databases.js";
import { addTextTurn, startedConversation } from "../helpers/operations.js";
import { TestParley, sharedParley } from "../helpers/parley.js";
import type { GraphqlError } from "../helpers/parley.js";

interface Told {
  status: number;
  codes: string[];
  errors: GraphqlError[];
}

/** What a request is answered with; checks that every error has what every error must have. */
async function told(url: string, init: RequestInit): Promise<Told> {
  const response = await fetch(url, init);
  const { errors = [] } = (await response.json()) as { errors?: GraphqlError[] };
  const requestId = response.headers.get("x-request-id");
  expect(requestId).toMatch(/^req_[0-9A-Z]{26}$/);
  for (const { message, extensions } of errors) {
    expect(message).not.toBe("");
    expect(extensions).toMatchObject({ retryable: expect.any(Boolean) as unknown, requestId });
    expect(JSON.stringify(extensions)).not.toMatch(/stack|node_modules|\.ts:|\.js:/);
  }
  return { status: response.status, codes: errors.map(({ extensions }) => extensions.code), errors };
}

function post(body: unknown, headers: Record<string, string> = {}): RequestInit {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return { method: "POST", headers: { "content-type": "application/json", ...headers }, body: text };
}

const query = encodeURIComponent("{ __typename }");
const mutation = encodeURIComponent("mutation { startConversation { conversation { id } } }");
const preflight = { "apollo-require-preflight": "true" };

describe("An error of a request", () => {
  const shared = sharedParley("sqlite");

  const requests: [name: string, path: string, init: RequestInit, status: number, code: string][] = [
    [
      "a document that can't be parsed",
      "/graphql",
      post({ query: "{ viewer {" }),
      400,
      "GRAPHQL_PARSE_FAILED",
    ],
    [
      "a field that is not there",
      "/graphql",
      post({ query: "{ nothing }" }),
      400,
      "GRAPHQL_VALIDATION_FAILED",
    ],
    [
      "a variable that is missing",
      "/graphql",
      post({ query: "query ($id: ID!) { turn(id: $id) { id } }" }),
      400,
      "BAD_USER_INPUT",
    ],
    [
      "a variable of another type",
      "/graphql",
      post({
        query: "query ($n: Int) { conversations(first: $n) { totalCount } }",
        variables: { n: 2 ** 31 },
      }),
      400,
      "BAD_USER_INPUT",
    ],
    [
      "null for an argument that can't be null",
      "/graphql",
      post({
        query: "query ($f: ConversationFilter = {}) { conversations(filter: $f) { totalCount } }",
        variables: { f: null },
      }),
      400,
      "BAD_USER_INPUT",
    ],
    [
      "a mistake in an argument",
      "/graphql",
      post({ query: "{ conversations(first: 101) { totalCount } }" }),
      200,
      "BAD_USER_INPUT",
    ],
    [
      "an operation that can't be told from another",
      "/graphql",
      post({ query: "query A { __typename } query B { __typename }" }),
      400,
      "OPERATION_RESOLUTION_FAILURE",
    ],
    [
      "an operation that is not there",
      "/graphql",
      post({ query: "query A { __typename }", operationName: "B" }),
      400,
      "OPERATION_RESOLUTION_FAILURE",
    ],
    ["a body that is no JSON", "/graphql", post("{"), 400, "BAD_REQUEST"],
    ["a body that is empty", "/graphql", post(""), 400, "BAD_REQUEST"],
    ["a body without a query", "/graphql", post({}), 400, "BAD_REQUEST"],
    [
      "variables that are no object",
      "/graphql",
      post({ query: "{ __typename }", variables: "x" }),
      400,
      "BAD_REQUEST",
    ],
    [
      "a persisted query of another version",
      "/graphql",
      post({ extensions: { persistedQuery: { version: 2, sha256Hash: "ab" } } }),
      400,
      "BAD_REQUEST",
    ],
    [
      "a persisted query whose hash is another's",
      "/graphql",
      post({ query: "{ __typename }", extensions: { persistedQuery: { version: 1, sha256Hash: "ab" } } }),
      400,
      "BAD_REQUEST",
    ],
    ["a body that poisons prototypes", "/graphql", post('{"__proto__": {"a": 1}}'), 400, "BAD_REQUEST"],
    ["several operations at once", "/graphql", post([{ query: "{ __typename }" }]), 400, "BAD_REQUEST"],
    ["a mutation by GET", `/graphql?query=${mutation}`, { headers: preflight }, 405, "BAD_REQUEST"],
    ["a GET that a foreign page could send", `/graphql?query=${query}`, {}, 400, "BAD_REQUEST"],
    [
      "a POST that a foreign page could send",
      "/graphql",
      { method: "POST", headers: { "content-type": "text/plain" }, body: '{"query":"{ __typename }"}' },
      400,
      "BAD_REQUEST",
    ],
    [
      "an upload that a foreign page could send",
      "/graphql",
      { method: "POST", body: new FormData() },
      400,
      "BAD_REQUEST",
    ],
    [
      "an upload without operations",
      "/graphql",
      { method: "POST", headers: preflight, body: new FormData() },
      400,
      "BAD_USER_INPUT",
    ],
    [
      "a body of a form, as curl sends it by itself",
      "/graphql",
      post({ query: "{ __typename }" }, { "content-type": "application/x-www-form-urlencoded" }),
      415,
      "BAD_REQUEST",
    ],
    [
      "a compressed body",
      "/graphql",
      { ...post({}, { "content-encoding": "gzip" }), body: gzipSync('{"query":"{ __typename }"}') },
      415,
      "BAD_REQUEST",
    ],
    [
      "a compressed upload",
      "/uploads/upload_1",
      { method: "PUT", headers: { "content-encoding": "gzip" }, body: gzipSync("sound") },
      415,
      "BAD_REQUEST",
    ],
    [
      "JSON in another encoding",
      "/graphql",
      {
        ...post({}, { "content-type": "application/json; charset=utf-16le" }),
        body: Buffer.from('{"query":"{ __typename }"}', "utf16le"),
      },
      415,
      "BAD_REQUEST",
    ],
    ["another method", "/graphql", { method: "DELETE" }, 405, "BAD_REQUEST"],
    ["a place that is not there", "/nothing", {}, 404, "NOT_FOUND"],
    ["a path that can't be decoded", "/%ff", {}, 400, "BAD_REQUEST"],
  ];

  it.each(requests)("for %s tells its code and its request", async (_name, path, init, status, code) => {
    expect(await told(shared().url + path, init)).toMatchObject({ status, codes: [code] });
  });

  it.each(["application/json", "application/json; charset=utf-8", 'application/json;charset="UTF-8"'])(
    "does not come of the type %s",
    async (type) => {
      const sent = { "content-type": type, "content-encoding": "identity" };
      expect(await told(`${shared().url}/graphql`, post({ query: "{ __typename }" }, sent))).toMatchObject({
        status: 200,
      });
    },
  );

  it.each([
    ["application/x-www-form-urlencoded", "Send the header content-type: application/json"],
    ["application/xml", "Send the header content-type: application/json"],
    ["text/plain", "Send POST with the header content-type: application/json"],
  ])("for a body of the type %s says which one to send", async (type, sentence) => {
    const { errors } = await told(`${shared().url}/graphql`, post({ query }, { "content-type": type }));
    expect(errors).toMatchObject([
      { message: expect.stringContaining(sentence) as unknown, extensions: { code: "BAD_REQUEST" } },
    ]);
  });

  it("is told apart from what went well beside it", async () => {
    const { status, data, errors } = await shared().send(
      "{ good: viewer { id } bad: conversations(first: -1) { totalCount } }",
    );
    expect([status, data]).toEqual([200, null]);
    expect(errors[0]?.path).toEqual(["bad"]);
  });

  it("has another id for each request", async () => {
    const ids = await Promise.all(
      Array.from({ length: 10 }, async () =>
        (await shared().send("{ viewer { id } }")).headers.get("x-request-id"),
      ),
    );
    expect(new Set(ids).size).toBe(10);
  });

  it("ends nothing but its own connection where it isn't even HTTP", async () => {
    const port = Number(new URL(shared().url).port);
    const answer = await new Promise<string>((resolve) => {
      const socket = connect(port, "127.0.0.1", () => socket.write("nonsense\r\n\r\n"));
      let text = "";
      socket.on("data", (bytes) => (text += bytes.toString()));
      socket.on("close", () => resolve(text));
    });
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(await shared().ask("{ viewer { id } }")).toEqual({ viewer: { id: "viewer_local" } });
  });
});

onEachDatabase("A fault of the server", (kind) => {
  it("is told without detail, under a request id that the log bears too", async () => {
    const parley = await TestParley.start(kind);
    const conversationId = await startedConversation(parley);
    const { client } = parley.server.context.database;
    await client.$executeRawUnsafe('ALTER TABLE "Turn" RENAME TO "Turned"');
    const input = { conversationId, text: "Hello" };
    const operations: [string, object][] = [
      [addTextTurn, { input }],
      ["query ($id: ID!) { turn(id: $id) { id } }", { id: "turn_01K00000000000000000000000" }],
      ["query ($id: ID!) { conversation(id: $id) { turns { totalCount } } }", { id: conversationId }],
    ];
    for (const [operation, variables] of operations) {
      const { errors, headers } = await parley.send(operation, variables);
      const requestId = headers.get("x-request-id") ?? "";
      expect(errors).toHaveLength(1);
      expect(errors[0]?.extensions).toEqual({ code: "INTERNAL_SERVER_ERROR", retryable: true, requestId });
      expect(errors[0]?.message).toContain(requestId);
      expect(JSON.stringify(errors)).not.toMatch(/prisma|sql|Turned|invocation|\.ts/i);
      const logged = parley.log
        .filter((line) => line.includes(requestId))
        .map((line) => JSON.parse(line) as object);
      expect(logged).toContainEqual(expect.objectContaining({ level: 50, requestId }));
    }
    await client.$executeRawUnsafe('ALTER TABLE "Turned" RENAME TO "Turn"');
  });
});
