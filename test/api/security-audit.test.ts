import { describe, expect, it } from "@jest/globals";
import { sharedParley } from "../helpers/parley.js";

interface Answer {
  status: number;
  text: string;
  body: { data?: Record<string, unknown> | null; errors?: { message: string; extensions?: object }[] } | null;
}

/** The questions that graphql-cop, a security auditor, asks a server; each test says that there is nothing to find. */
describe("A security audit in production", () => {
  const shared = sharedParley("sqlite", { env: { NODE_ENV: "production", STAND_IN: "1" } });

  async function ask(path: string, init: RequestInit = {}): Promise<Answer> {
    const response = await fetch(`${shared().url}${path}`, init);
    const text = await response.text();
    const isJson = response.headers.get("content-type")?.includes("json") === true;
    return { status: response.status, text, body: isJson ? (JSON.parse(text) as Answer["body"]) : null };
  }

  function post(query: unknown): Promise<Answer> {
    const headers = { "content-type": "application/json" };
    const body = JSON.stringify(Array.isArray(query) ? query : { query });
    return ask("/graphql", { method: "POST", headers, body });
  }

  function form(content: string): Promise<Answer> {
    const headers = { "content-type": "application/x-www-form-urlencoded" };
    return ask("/graphql", { method: "POST", headers, body: `query=${encodeURIComponent(content)}` });
  }

  const mutation = "mutation cop { __typename }";

  it("finds that aliases can't be heaped up", async () => {
    const aliases = Array.from({ length: 101 }, (_, index) => `alias${index}: __typename`).join(" ");
    expect((await post(`query cop { ${aliases} }`)).body?.data).toBeUndefined();
  });

  it("finds that queries can't be sent in batches", async () => {
    const { status, body } = await post(
      Array.from({ length: 10 }, () => ({ query: "query cop { __typename }" })),
    );
    expect([status, Array.isArray(body)]).toEqual([400, false]);
  });

  it("finds that directives can't be heaped up, and few of the errors are told", async () => {
    const { body } = await post(`query cop { __typename ${"@aa".repeat(10)} }`);
    expect(body?.data).toBeUndefined();
    expect(body?.errors?.length).toBeLessThan(10);
  });

  it("finds that introspection can't be made to go in circles", async () => {
    const circle = "fields { type { fields { type { fields { type { fields { type { name } } } } } } } }";
    expect((await post(`query cop { __schema { types { ${circle} } } }`)).body?.data).toBeUndefined();
  });

  it("finds that a field can't be repeated over and over", async () => {
    expect((await post(`query cop { ${"__typename ".repeat(500)} }`)).body?.data).toBeUndefined();
  });

  it("finds that GET changes nothing", async () => {
    const { status, body } = await ask(`/graphql?query=${encodeURIComponent(mutation)}`);
    expect(body?.data).toBeUndefined();
    expect(status).toBe(400);
    const trusted = await ask(`/graphql?query=${encodeURIComponent(mutation)}`, {
      headers: { "apollo-require-preflight": "1" },
    });
    expect([trusted.status, trusted.body?.data]).toEqual([405, undefined]);
  });

  it("finds that a page of another site can't ask by GET", async () => {
    expect((await ask("/graphql?query=query%20cop%20%7B__typename%7D")).body?.data).toBeUndefined();
  });

  it("finds no explorer", async () => {
    for (const path of ["/graphql", "/graphiql", "/playground", "/console", "/altair", "/voyager"]) {
      const { text } = await ask(path, { headers: { accept: "text/html" } });
      expect(text).not.toMatch(/graphiql|playground|sandbox|<script/i);
    }
  });

  it("finds no introspection", async () => {
    expect(
      (await post("query cop { __schema { types { name fields { name } } } }")).body?.data,
    ).toBeUndefined();
  });

  it("finds that a form of another site can't ask", async () => {
    for (const content of ["query cop { __typename }", mutation]) {
      const { status, body } = await form(content);
      expect(status).toBeGreaterThanOrEqual(400);
      expect(body?.data).toBeUndefined();
    }
  });

  it("finds no suggestions of fields", async () => {
    const { text } = await post("query cop { __schema { directive } conversation { idd } viewerr { id } }");
    expect(text).not.toMatch(/did you mean/i);
  });

  it("finds no traces or debug information", async () => {
    for (const query of ["query cop { __typename }", "query cop { nothing }"]) {
      expect((await post(query)).text).not.toMatch(/"tracing"|"stacktrace"|"debug"|"exception"/i);
    }
  });

  it("finds no error that was not handled", async () => {
    const bodies = [
      "",
      "{",
      "null",
      "5",
      '"x"',
      '{"query":5}',
      '{"query":null}',
      '{"qwerty cop":{"abc":"xyz"}}',
      '{"query":"query cop {{}"}',
    ];
    for (const body of bodies) {
      const answer = await ask("/graphql", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body,
      });
      expect([body, answer.status]).toEqual([body, 400]);
      expect(answer.text).not.toMatch(/exception|stack|node_modules|\.js:/i);
    }
  });
});
