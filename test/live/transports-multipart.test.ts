import { createHash } from "node:crypto";
import { connect } from "node:net";
import type { Socket } from "node:net";
import {
  ApolloClient,
  CombinedGraphQLErrors,
  CombinedProtocolErrors,
  gql,
  HttpLink,
  InMemoryCache,
} from "@apollo/client";
import { describe, expect, it } from "@jest/globals";
import { ParleyError } from "../../src/errors.js";
import { sharedParley } from "../helpers/parley.js";
import type { Channel } from "./channel.js";
import { LiveServer } from "./live-server.js";
import type { LiveServerOptions, News } from "./live-server.js";
import { answerOf, multipart, PartReader, post } from "./part-reader.js";
import { RawSocket, refusedUpgrade } from "./raw-socket.js";

const query = "subscription ($channel: String!) { news(channel: $channel) { text } }";
const anyId: unknown = expect.stringMatching(/^req_/);

interface Listening {
  server: LiveServer;
  reader: PartReader;
  channel: Channel<News>;
  hangUp: () => void;
}

async function listening(options: LiveServerOptions = {}): Promise<Listening> {
  const server = await LiveServer.start(options);
  return listen(server, "a");
}

async function listen(server: LiveServer, name: string): Promise<Listening> {
  const controller = new AbortController();
  const body = { query, variables: { channel: name } };
  const response = await post(server.endpoint, body, {}, controller.signal);
  const channel = await server.channel(name);
  return { server, channel, reader: new PartReader(response), hangUp: () => controller.abort() };
}

function part(text: string): unknown {
  return { payload: { data: { news: { text } } } };
}

function lastPart(code: string, retryable: boolean): unknown {
  const extensions = { code, retryable, requestId: anyId };
  return { payload: null, errors: [{ message: expect.any(String) as unknown, extensions }] };
}

describe("A subscription over HTTP", () => {
  it("is answered at once, then with a part for each event, and ends", async () => {
    const { reader, channel } = await listening();
    expect(reader.response.status).toBe(200);
    expect(reader.response.headers.get("content-type")).toBe(
      'multipart/mixed; boundary="graphql"; subscriptionSpec=1.0',
    );
    expect(reader.response.headers.get("cache-control")).toBe("no-store");
    expect(reader.response.headers.get("x-request-id")).toMatch(/^req_/);
    expect(await reader.part()).toEqual({});
    channel.send({ text: "one" });
    expect(await reader.next()).toEqual(part("one"));
    channel.send({ text: "--graphql\r\n--graphql--" }, { text: "größer 🎧" });
    expect(await reader.next()).toEqual(part("--graphql\r\n--graphql--"));
    expect(await reader.next()).toEqual(part("größer 🎧"));
    channel.end();
    expect(await reader.next()).toBeNull();
  });

  it("beats while nothing happens", async () => {
    const { reader } = await listening({ times: { heartbeatMs: 5 } });
    for (let count = 0; count < 5; count += 1) expect(await reader.part()).toEqual({});
  });

  it("ends its source when the client hangs up", async () => {
    const { channel, hangUp } = await listening();
    hangUp();
    await channel.returned.come;
  });

  it("tells of an event that can't be read, and goes on", async () => {
    const server = await LiveServer.start();
    const broken = 'subscription { news(channel: "a") { text broken } }';
    const reader = new PartReader(await post(server.endpoint, { query: broken }));
    (await server.channel("a")).send({ text: "one" }, { text: "two" });
    const told = await reader.next();
    expect(told).toMatchObject({
      payload: {
        data: { news: { text: "one", broken: null } },
        errors: [
          { path: ["news", "broken"], extensions: { code: "INTERNAL_SERVER_ERROR", requestId: anyId } },
        ],
      },
    });
    expect(JSON.stringify(told)).not.toContain("secret");
    expect(await reader.next()).toMatchObject({ payload: { data: { news: { text: "two" } } } });
  });

  it("says with the last part why its source broke off", async () => {
    const server = await LiveServer.start();
    const deleted = await listen(server, "a");
    deleted.channel.fail(new ParleyError("NOT_FOUND", "It was deleted."));
    expect(await deleted.reader.next()).toEqual(lastPart("NOT_FOUND", false));
    expect(await deleted.reader.next()).toBeNull();
    const faulty = await listen(server, "b");
    faulty.channel.fail(new Error("a secret of the server"));
    const told = await faulty.reader.next();
    expect(told).toEqual(lastPart("INTERNAL_SERVER_ERROR", true));
    expect(JSON.stringify(told)).not.toContain("secret");
  });

  it("keeps the one request id of its answer for all that it is told", async () => {
    const { reader, channel } = await listening();
    channel.fail(new Error("a fault"));
    const requestId = reader.response.headers.get("x-request-id");
    expect(await reader.next()).toMatchObject({ errors: [{ extensions: { requestId } }] });
  });

  it.each([
    ["subscription { nothing }", "GRAPHQL_VALIDATION_FAILED", 400],
    [query, "BAD_USER_INPUT", 400],
    ["subscription { refused { text } }", "NOT_FOUND", 200],
    ["subscription { faulty { text } }", "INTERNAL_SERVER_ERROR", 200],
  ])("is refused in a plain answer before any event: %s", async (refused, code, status) => {
    const server = await LiveServer.start();
    const response = await post(server.endpoint, { query: refused });
    expect(response.headers.get("content-type")).toBe("application/json; charset=utf-8");
    const answer = await answerOf(response);
    const requestId = answer.headers.get("x-request-id");
    expect(answer.status).toBe(status);
    expect(answer.errors[0]?.extensions).toMatchObject({ code, requestId });
    expect(JSON.stringify(answer.errors)).not.toContain("secret");
  });

  it("leaves what is no subscription, or can't be read as one, to the route", async () => {
    const server = await LiveServer.start();
    const bodies = [
      { query: "{ hello }" },
      { query: "{ subscription }" },
      { query: "query A { hello } subscription B { refused { text } }", operationName: "A" },
      { query: "subscription {" },
      { query: "subscription { refused { text } }", variables: "no object" },
      { query: `subscription ${"{ a ".repeat(7_000)}` },
      { query: 1 },
      [{ query: "subscription { refused { text } }" }],
    ];
    for (const body of bodies) {
      const answer = await fetch(server.endpoint, {
        method: "POST",
        headers: { "content-type": "application/json", accept: multipart },
        body: JSON.stringify(body),
      });
      expect(await answer.json()).toEqual({ data: "passed on" });
    }
    expect(server.passedOn).toEqual(bodies);
  });

  it("is told how to subscribe where it comes in another way", async () => {
    const server = await LiveServer.start();
    const refused = "subscription { refused { text } }";
    const asked = (accept: string) => post(server.endpoint, { query: refused }, { accept });
    const url = `${server.endpoint}?query=${encodeURIComponent(refused)}`;
    const responses: [number, Response][] = [
      [406, await asked("application/json")],
      [406, await asked("*/*")],
      [406, await asked("multipart/mixed;deferSpec=20220824, application/json")],
      [406, await asked("multipart/mixed;subscriptionSpec=2.0")],
      [405, await fetch(url, { headers: { accept: multipart } })],
    ];
    for (const [status, response] of responses) {
      const answer = await answerOf(response);
      expect([answer.status, answer.errors[0]?.extensions["code"]]).toEqual([status, "BAD_REQUEST"]);
      expect(answer.errors[0]?.message).toMatch(
        /graphql-transport-ws[^]*multipart\/mixed;subscriptionSpec=1.0/,
      );
    }
    expect(server.passedOn).toEqual([]);
  });

  it.each([
    "multipart/mixed;subscriptionSpec=1.0",
    'multipart/mixed; boundary="graphql"; SubscriptionSpec="1.0"',
  ])("takes %s for a client that can read parts", async (accept) => {
    const server = await LiveServer.start();
    const response = await post(server.endpoint, { query, variables: { channel: "a" } }, { accept });
    expect(response.headers.get("content-type")).toMatch(/^multipart\/mixed/);
  });

  it("can be read by pages of listed origins", async () => {
    const origin = "https://app.example.com";
    const server = await LiveServer.start({ http: { corsOrigins: [origin] } });
    const body = { query, variables: { channel: "a" } };
    const listed = await post(server.endpoint, body, { origin });
    expect(listed.headers.get("access-control-allow-origin")).toBe(origin);
    const other = await post(server.endpoint, body, { origin: "https://evil.example" });
    expect(other.headers.get("access-control-allow-origin")).not.toBe("https://evil.example");
  });

  it("counts among the sockets of its viewer", async () => {
    const limits = { maxPerSocket: 1, maxSocketsPerViewer: 2 };
    const { server, channel, hangUp } = await listening({ limits });
    await RawSocket.initialised(server.socketUrl);
    const refused = await answerOf(await post(server.endpoint, { query, variables: { channel: "b" } }));
    expect(refused).toMatchObject({
      status: 429,
      errors: [{ extensions: { code: "RATE_LIMITED", retryable: true, retryAfterMs: 5_000 } }],
    });
    hangUp();
    await channel.returned.come;
    expect((await listen(server, "c")).reader.response.status).toBe(200);
  });
});

describe("A client of a subscription over HTTP that takes nothing", () => {
  /** Subscribes and reads nothing. */
  async function deaf(server: LiveServer): Promise<{ socket: Socket; channel: Channel<News> }> {
    const socket = connect(server.port, "127.0.0.1").pause();
    const body = JSON.stringify({ query, variables: { channel: "a" } });
    const lines = [
      "POST /graphql HTTP/1.1",
      `host: 127.0.0.1:${server.port}`,
      "content-type: application/json",
      `accept: ${multipart}`,
      `content-length: ${body.length}`,
    ];
    socket.write(`${lines.join("\r\n")}\r\n\r\n${body}`);
    return { socket, channel: await server.channel("a") };
  }

  const event = { text: "x".repeat(256 * 1024) };

  it("holds back the events, and is cut off", async () => {
    const server = await LiveServer.start({ times: { heartbeatMs: 5, stallMs: 100 } });
    const { channel } = await deaf(server);
    channel.send(...Array.from({ length: 400 }, () => event));
    await channel.returned.come;
    // What the operating system takes for a connection, of 100 MiB.
    expect(channel.pulls).toBeLessThan(100);
  });

  it("misses nothing where it goes on in time", async () => {
    const server = await LiveServer.start();
    const { socket, channel } = await deaf(server);
    channel.send(...Array.from({ length: 60 }, () => event));
    channel.end();
    await channel.pulled(4);
    let received = 0;
    for await (const chunk of socket) {
      received += (chunk as Buffer).byteLength;
      if (String(chunk).endsWith("0\r\n\r\n")) break;
    }
    expect(received).toBeGreaterThan(60 * 256 * 1024);
  });

  it("is not cut off while heartbeats are all there is", async () => {
    const server = await LiveServer.start({ times: { heartbeatMs: 50, stallMs: 1_000 } });
    const { reader, channel } = await listen(server, "a");
    for (let count = 0; count < 30; count += 1) expect(await reader.part()).toEqual({});
    channel.send({ text: "late" });
    expect(await reader.next()).toEqual(part("late"));
  });
});

describe("When the server ends its subscriptions", () => {
  it("says so to those over HTTP with their last part", async () => {
    const { server, reader, channel } = await listening();
    await Promise.all([server.subscriptions.end(), expectEnd(reader)]);
    await channel.returned.come;
    const refused = await answerOf(await post(server.endpoint, { query, variables: { channel: "b" } }));
    expect(refused).toMatchObject({
      status: 503,
      errors: [{ extensions: { code: "SERVER_SHUTTING_DOWN" } }],
    });
    expect(await refusedUpgrade(server.socketUrl)).toMatchObject({ status: 503 });
  });

  async function expectEnd(reader: PartReader): Promise<void> {
    expect(await reader.next()).toEqual(lastPart("SERVER_SHUTTING_DOWN", true));
    expect(await reader.next()).toBeNull();
  }

  it("does not wait for a client that reads nothing, and ends its source at once", async () => {
    const { server, channel } = await listening();
    channel.send(...Array.from({ length: 100 }, () => ({ text: "x".repeat(256 * 1024) })));
    await channel.pulled(4);
    const ending = server.subscriptions.end();
    await channel.returned.come;
    await ending;
  });
});

describe("Apollo Server", () => {
  const parley = sharedParley("sqlite");
  const document = "query A { viewer { id } } subscription B { viewerEvents { cursor } }";
  const sha256Hash = createHash("sha256").update(document).digest("hex");
  const extensions = { persistedQuery: { version: 1, sha256Hash } };

  function send(body: object): Promise<Response> {
    return fetch(`${parley().url}/graphql`, {
      method: "POST",
      headers: { "content-type": "application/json", accept: multipart },
      body: JSON.stringify(body),
    });
  }

  it("answers queries of clients that can read parts", async () => {
    const response = await send({ query: document, operationName: "A", extensions });
    expect(response.headers.get("content-type")).toMatch(/^application\/json/);
    expect(await response.json()).toMatchObject({ data: { viewer: { id: "viewer_local" } } });
  });

  it("runs no subscription, not even one that is sent by the hash of its document", async () => {
    await send({ query: document, operationName: "A", extensions });
    const answer = await answerOf(await send({ operationName: "B", extensions }));
    expect(answer).toMatchObject({
      status: 406,
      errors: [
        {
          message: expect.stringContaining("subscriptionSpec=1.0") as unknown,
          extensions: { code: "BAD_REQUEST", retryable: false, requestId: anyId },
        },
      ],
    });
  });
});

describe("Apollo Client", () => {
  function subscribed(server: LiveServer, document: string) {
    const client = new ApolloClient({
      link: new HttpLink({ uri: server.endpoint }),
      cache: new InMemoryCache(),
    });
    const results: { data?: unknown; error?: unknown }[] = [];
    let told: () => void = () => undefined;
    const observable = client.subscribe({ query: gql(document) });
    const completed = new Promise<void>((resolve, reject) => {
      observable.subscribe({
        next: (result) => {
          results.push(result);
          told();
        },
        complete: resolve,
        error: reject,
      });
    });
    const come = async (count: number) => {
      while (results.length < count) await new Promise<void>((resolve) => (told = resolve));
      return results;
    };
    return { completed, come };
  }

  it("subscribes with nothing set up", async () => {
    const server = await LiveServer.start();
    const { completed, come } = subscribed(server, 'subscription { news(channel: "a") { text } }');
    const channel = await server.channel("a");
    channel.send({ text: "one" });
    expect((await come(1))[0]?.data).toMatchObject({ news: { text: "one" } });
    channel.send({ text: "two" });
    channel.end();
    await completed;
    expect((await come(2))[1]?.data).toMatchObject({ news: { text: "two" } });
  });

  it.each([
    ["subscription { refused { text } }", "NOT_FOUND"],
    ["subscription { news { text } }", "GRAPHQL_VALIDATION_FAILED"],
  ])("hears why it is refused, with code and request id: %s", async (document, code) => {
    const server = await LiveServer.start();
    const [result] = await subscribed(server, document).come(1);
    expect(CombinedGraphQLErrors.is(result?.error) ? result.error.errors : result).toMatchObject([
      { extensions: { code, retryable: false, requestId: anyId } },
    ]);
  });

  it("hears that the server goes away", async () => {
    const server = await LiveServer.start();
    const { completed, come } = subscribed(server, 'subscription { news(channel: "a") { text } }');
    await server.channel("a");
    await server.subscriptions.end();
    const [result] = await come(1);
    expect(CombinedProtocolErrors.is(result?.error) ? result.error.errors : result).toMatchObject([
      { extensions: { code: "SERVER_SHUTTING_DOWN", retryable: true, requestId: anyId } },
    ]);
    await completed;
  });
});
