import { connect } from "node:net";
import { describe, expect, it } from "@jest/globals";
import { createClient } from "graphql-ws";
import type { Client, ExecutionResult } from "graphql-ws";
import { WebSocket } from "ws";
import { ParleyError } from "../../src/errors.js";
import { LiveServer } from "./live-server.js";
import { RawSocket, refusedUpgrade } from "./raw-socket.js";

const news = "subscription ($channel: String!) { news(channel: $channel) { text } }";

function clientOf(server: LiveServer): Client {
  return createClient({ url: server.socketUrl, webSocketImpl: WebSocket, retryAttempts: 0 });
}

/** Subscribes to the channel and waits until the server has opened it. */
async function listen(server: LiveServer, socket: RawSocket, name = "a", id = "1") {
  socket.subscribe(id, news, { channel: name });
  return server.channel(name);
}

function coded(code: string, rest: Record<string, unknown> = {}): unknown {
  return expect.objectContaining({
    extensions: {
      code,
      retryable: expect.any(Boolean) as unknown,
      requestId: expect.stringMatching(/^req_/) as unknown,
    },
    ...rest,
  });
}

describe("A subscription over a WebSocket", () => {
  it("hears every event in order, and its end", async () => {
    const server = await LiveServer.start();
    const results = clientOf(server).iterate({ query: news, variables: { channel: "a" } });
    const first = results.next();
    const channel = await server.channel("a");
    channel.send({ text: "one" }, { text: "two" });
    channel.end();
    expect(await first).toEqual({ done: false, value: { data: { news: { text: "one" } } } });
    expect((await results.next()).value).toEqual({ data: { news: { text: "two" } } });
    expect(await results.next()).toMatchObject({ done: true });
  });

  it("reads each event with a context of its own, of its viewer and for the origin that it came to", async () => {
    const server = await LiveServer.start();
    const query = 'subscription { news(channel: "a") { context } }';
    const results = clientOf(server).iterate({ query });
    const first = results.next();
    (await server.channel("a")).send({ text: "one" }, { text: "two" });
    expect([await first, await results.next()]).toMatchObject([
      { value: { data: { news: { context: 2 } } } },
      { value: { data: { news: { context: 3 } } } },
    ]);
    expect(server.contexts[2]).toEqual({ number: 3, viewerId: "viewer_local", origin: server.url });
    await results.return?.();
  });

  it("ends its source when the client completes it, and when the client is gone", async () => {
    const server = await LiveServer.start();
    const socket = await RawSocket.initialised(server.socketUrl);
    const completed = await listen(server, socket, "a", "1");
    const lost = await listen(server, socket, "b", "2");
    socket.send({ type: "complete", id: "1" });
    await completed.returned.come;
    socket.socket.terminate();
    await lost.returned.come;
  });

  it("ends its source also where the client is gone before it has begun, or has used its id again", async () => {
    const server = await LiveServer.start();
    const socket = await RawSocket.initialised(server.socketUrl);
    for (const channel of ["a", "b"]) {
      socket.subscribe("1", news, { channel });
      socket.send({ type: "complete", id: "1" });
    }
    socket.subscribe("1", news, { channel: "c" });
    const channels = await Promise.all(["a", "b", "c"].map((name) => server.channel(name)));
    socket.socket.terminate();
    await Promise.all(channels.map(({ returned }) => returned.come));
  });

  it("tells of an event that can't be read, without the server's secrets, and goes on", async () => {
    const server = await LiveServer.start();
    const query = 'subscription { news(channel: "a") { text broken } }';
    const results = clientOf(server).iterate({ query });
    const first = results.next();
    (await server.channel("a")).send({ text: "one" }, { text: "two" });
    const told = coded("INTERNAL_SERVER_ERROR", { path: ["news", "broken"] });
    expect((await first).value).toEqual({ data: { news: { text: "one", broken: null } }, errors: [told] });
    expect(await results.next()).toMatchObject({ value: { data: { news: { text: "two" } } } });
    expect(JSON.stringify(await first)).not.toContain("secret");
    await results.return?.();
  });

  it("is told with its code when its source breaks off", async () => {
    const server = await LiveServer.start();
    const socket = await RawSocket.initialised(server.socketUrl);
    const deleted = await listen(server, socket, "a", "1");
    deleted.fail(new ParleyError("NOT_FOUND", "It was deleted."));
    const told = coded("NOT_FOUND", { message: "It was deleted." });
    expect(await socket.next()).toEqual({ type: "error", id: "1", payload: [told] });
    const faulty = await listen(server, socket, "b", "2");
    faulty.fail(new Error("a secret of the server"));
    const fault = coded("INTERNAL_SERVER_ERROR", { message: expect.not.stringContaining("secret") });
    expect(await socket.next()).toEqual({ type: "error", id: "2", payload: [fault] });
  });

  it.each([
    ["{ nothing", "GRAPHQL_PARSE_FAILED"],
    ["{ a ".repeat(7_000), "GRAPHQL_PARSE_FAILED"],
    ["subscription { nothing }", "GRAPHQL_VALIDATION_FAILED"],
    [news, "BAD_USER_INPUT"],
    ["query A { hello } query B { hello }", "OPERATION_RESOLUTION_FAILURE"],
    [`{ ${Array.from({ length: 16 }, (_, n) => `a${n}: hello`).join(" ")} }`, "QUERY_TOO_COMPLEX"],
    ["{ turns(first: 100) { turns(first: 100) { turns(first: 100) { hello } } } }", "QUERY_TOO_COMPLEX"],
  ])("is checked as a query is before anything runs: %.40s", async (query, code) => {
    const server = await LiveServer.start();
    const socket = await RawSocket.initialised(server.socketUrl);
    socket.subscribe("1", query);
    expect(await socket.next()).toEqual({ type: "error", id: "1", payload: [coded(code)] });
    expect(server.contexts).toEqual([]);
    socket.subscribe("2", "{ hello }");
    expect(await socket.next()).toMatchObject({ id: "2", payload: { data: { hello: "Hello" } } });
  });

  it("keeps the schema to itself where introspection is off", async () => {
    const server = await LiveServer.start({ http: { introspection: false } });
    const socket = await RawSocket.initialised(server.socketUrl);
    socket.subscribe("1", "{ __schema { description } }");
    expect(await socket.next()).toMatchObject({
      type: "error",
      payload: [coded("GRAPHQL_VALIDATION_FAILED")],
    });
    socket.subscribe("2", "{ helo }");
    expect(JSON.stringify(await socket.next())).not.toContain("hello");
  });

  it("is refused with its code before any event where its resolver refuses it", async () => {
    const server = await LiveServer.start();
    const socket = await RawSocket.initialised(server.socketUrl);
    socket.subscribe("1", "subscription { refused { text } }");
    expect(await socket.next()).toMatchObject({ type: "next", payload: { errors: [coded("NOT_FOUND")] } });
    expect(await socket.next()).toEqual({ type: "complete", id: "1" });
    socket.subscribe("2", "subscription { faulty { text } }");
    const fault = await socket.next();
    expect(fault).toMatchObject({ payload: { errors: [coded("INTERNAL_SERVER_ERROR")] } });
    expect(JSON.stringify(fault)).not.toContain("secret");
  });

  it("runs beside queries and mutations, each with a request id of its own", async () => {
    const server = await LiveServer.start();
    const socket = await RawSocket.initialised(server.socketUrl);
    await listen(server, socket);
    socket.subscribe("2", "mutation ($text: String!) { shout(text: $text) }", { text: "hey" });
    const extensions = { cost: { requested: 1, limit: 25_000 } };
    expect(await socket.next()).toEqual({
      type: "next",
      id: "2",
      payload: { data: { shout: "HEY" }, extensions },
    });
    expect(await socket.next()).toEqual({ type: "complete", id: "2" });
    const ids = new Set<unknown>();
    for (const id of ["3", "4"]) {
      socket.subscribe(id, "{ broken }");
      const { payload } = await socket.next();
      ids.add((payload as ExecutionResult).errors?.[0]?.extensions["requestId"]);
      await socket.next();
    }
    expect(ids.size).toBe(2);
    for (const id of ids) expect(server.log.join("")).toContain(String(id));
  });
});

describe("The request for a WebSocket", () => {
  const http = {
    publicUrl: new URL("https://parley.example.com"),
    corsOrigins: ["https://app.example.com"],
  };

  it("may come from no page, from the server's own pages and from listed ones", async () => {
    const server = await LiveServer.start({ http });
    const origins = [
      server.url,
      server.url.replace("http:", "https:"),
      "https://parley.example.com",
      "https://app.example.com",
    ];
    for (const headers of [{}, ...origins.map((origin) => ({ origin }))])
      await RawSocket.initialised(server.socketUrl, { headers });
    const host = "parley.example.com";
    await RawSocket.initialised(server.socketUrl, { headers: { host, origin: `http://${host}` } });
  });

  it.each([
    "https://evil.example",
    "null",
    "http://127.0.0.1:1",
    "http://app.example.com",
    "https://app.example.com.evil.example",
    "",
  ])("is refused to a page of the origin %p", async (origin) => {
    const server = await LiveServer.start({ http });
    expect(await refusedUpgrade(server.socketUrl, { headers: { origin } })).toEqual({
      status: 403,
      type: "application/json; charset=utf-8",
      body: { errors: [coded("FORBIDDEN")] },
    });
  });

  it("is refused where it names another host, or another path", async () => {
    const server = await LiveServer.start();
    expect(await refusedUpgrade(server.socketUrl, { headers: { host: "evil.example" } })).toMatchObject({
      status: 403,
      body: { errors: [coded("FORBIDDEN")] },
    });
    for (const path of ["/", "/graphql/", "/graphqlx", "/audio/x"]) {
      const { status, body } = await refusedUpgrade(server.url.replace("http", "ws") + path);
      expect([status, body]).toEqual([404, { errors: [coded("NOT_FOUND")] }]);
    }
    await RawSocket.initialised(`${server.socketUrl}?token=1`);
  });

  it("does not open one to a client that only offers another protocol, which is answered as if it had not", async () => {
    const server = await LiveServer.start();
    const body = JSON.stringify({ query: "{ hello }", variables: { text: "x".repeat(200_000) } });
    const socket = connect(server.port, "127.0.0.1");
    const lines = [
      "POST /graphql HTTP/1.1",
      `host: 127.0.0.1:${server.port}`,
      "connection: Upgrade, HTTP2-Settings, close",
      "upgrade: h2c",
      "http2-settings: AAMAAABkAARAAAAAAAIAAAAA",
      "content-type: application/json",
      `content-length: ${body.length}`,
    ];
    socket.write(`${lines.join("\r\n")}\r\n\r\n${body}`);
    let answer = "";
    for await (const chunk of socket) answer += String(chunk);
    expect(answer).toMatch(/^HTTP\/1\.1 200 OK[^]*passed on/);
    expect(server.passedOn).toEqual([JSON.parse(body)]);
  });
});

describe("A WebSocket", () => {
  it("is closed with the protocol's code for each mistake", async () => {
    const server = await LiveServer.start();
    const impatient = await LiveServer.start({ times: { initMs: 5 } });
    const closing = async (send: (socket: RawSocket) => void, protocols?: string[]) => {
      const socket = await RawSocket.connect(server.socketUrl, {}, protocols);
      send(socket);
      return (await socket.closed).code;
    };
    const init = { type: "connection_init" };
    expect((await (await RawSocket.connect(impatient.socketUrl)).closed).code).toBe(4408);
    expect(await closing((socket) => socket.socket.send("no JSON"))).toBe(4400);
    expect(await closing((socket) => socket.send({ type: "unheard" }))).toBe(4400);
    expect(await closing((socket) => socket.subscribe("1", "{ hello }"))).toBe(4401);
    expect(await closing((socket) => [init, init].forEach((each) => socket.send(each)))).toBe(4429);
    expect(await closing((socket) => socket.socket.send("x".repeat(1024 * 1024 + 1)))).toBe(1009);
    expect(await closing((socket) => socket.socket.send(Buffer.from([0xff, 0xff])))).toBe(4400);
    const twice = await RawSocket.initialised(server.socketUrl);
    for (const id of ["1", "1"]) twice.subscribe(id, "{ held }");
    expect((await twice.closed).code).toBe(4409);
    const still = await RawSocket.initialised(server.socketUrl);
    still.subscribe("1", "{ hello }");
    expect(await still.next()).toMatchObject({ payload: { data: { hello: "Hello" } } });
  });

  it("is closed where it speaks another subprotocol", async () => {
    const server = await LiveServer.start();
    const raw = await new Promise<number>((resolve) => {
      const socket = new WebSocket(server.socketUrl);
      socket.on("close", (code) => resolve(code));
    });
    expect(raw).toBe(4406);
  });

  it("survives frames that are no WebSocket's", async () => {
    const server = await LiveServer.start();
    const broken = await RawSocket.initialised(server.socketUrl);
    const channel = await listen(server, broken);
    // A frame without a mask, which clients must not send.
    const duplex = (broken.socket as unknown as { _socket: { write(bytes: Buffer): void } })._socket;
    duplex.write(Buffer.from([0x81, 0x01, 0x41]));
    expect((await broken.closed).code).toBe(1002);
    await channel.returned.come;
    await RawSocket.initialised(server.socketUrl);
  });

  it("logs nothing of what is said on it", async () => {
    const server = await LiveServer.start();
    const socket = await RawSocket.initialised(server.socketUrl);
    socket.subscribe("1", 'mutation { shout(text: "confidential") }');
    await socket.next();
    socket.subscribe("2", 'subscription { news(channel: "confidential") { text nothing } }');
    await socket.next();
    socket.socket.send("confidential");
    await socket.closed;
    expect(server.log.join("")).not.toContain("confidential");
  });

  it("runs so many operations at once; one more is refused and can be tried again", async () => {
    const server = await LiveServer.start({ limits: { maxPerSocket: 2, maxSocketsPerViewer: 10 } });
    const socket = await RawSocket.initialised(server.socketUrl);
    const first = await listen(server, socket, "a", "1");
    await listen(server, socket, "b", "2");
    socket.subscribe("3", "{ hello }");
    const refused = await socket.next();
    const extensions = { code: "RATE_LIMITED", retryable: true, retryAfterMs: 5_000 };
    expect(refused).toMatchObject({ type: "error", id: "3", payload: [{ extensions }] });
    socket.send({ type: "complete", id: "1" });
    await first.returned.come;
    socket.subscribe("4", "{ hello }");
    expect(await socket.next()).toMatchObject({ type: "next", id: "4" });
  });

  it("counts among those of its viewer; one more is closed with 4429, and there is room when one is gone", async () => {
    const server = await LiveServer.start({ limits: { maxPerSocket: 2, maxSocketsPerViewer: 2 } });
    const first = await RawSocket.initialised(server.socketUrl);
    await RawSocket.initialised(server.socketUrl);
    const refused = await RawSocket.connect(server.socketUrl);
    refused.send({ type: "connection_init" });
    expect(await refused.closed).toEqual({
      code: 4429,
      reason: expect.stringMatching(/may have 2 open sockets/) as unknown,
    });
    const channel = await listen(server, first);
    first.socket.terminate();
    await channel.returned.come;
    await RawSocket.initialised(server.socketUrl);
  });

  it("is kept while it answers pings, and cut off when it does not", async () => {
    const server = await LiveServer.start({ times: { pingMs: 500 } });
    const answering = await RawSocket.initialised(server.socketUrl);
    const silent = await RawSocket.initialised(server.socketUrl, { autoPong: false });
    const channel = await listen(server, silent);
    expect((await silent.closed).code).toBe(1006);
    await channel.returned.come;
    answering.subscribe("1", "{ hello }");
    expect(await answering.next()).toMatchObject({ payload: { data: { hello: "Hello" } } });
  });

  it("holds back the events of a client that reads slowly, and loses none", async () => {
    const server = await LiveServer.start();
    const socket = await RawSocket.initialised(server.socketUrl);
    const channel = await listen(server, socket);
    socket.socket.pause();
    const sent = Array.from({ length: 60 }, (_, number) => ({ text: `${number} ${"x".repeat(256 * 1024)}` }));
    channel.send(...sent);
    await channel.pulled(4);
    socket.socket.resume();
    for (const news of sent) {
      // Never more than the next one is asked for.
      const { payload } = await socket.next();
      expect(payload).toEqual({ data: { news } });
    }
  });

  it("buffers no events for a client that takes none, and cuts it off", async () => {
    const server = await LiveServer.start({ times: { pingMs: 50 } });
    const socket = await RawSocket.initialised(server.socketUrl);
    const channel = await listen(server, socket);
    socket.socket.pause();
    const event = { text: "x".repeat(256 * 1024) };
    channel.send(...Array.from({ length: 400 }, () => event));
    await channel.returned.come;
    // What the operating system takes for a connection, of 100 MiB.
    expect(channel.pulls).toBeLessThan(100);
  });

  it("reads no more of a client that takes none of its answers, and cuts it off", async () => {
    const server = await LiveServer.start({ times: { pingMs: 500 } });
    const socket = await RawSocket.initialised(server.socketUrl);
    const channel = await listen(server, socket, "a", "a");
    socket.socket.pause();
    const query = `{ letters(count: 100000) } # ${"x".repeat(1024)}`;
    for (let id = 0; id < 20_000; id += 1) socket.subscribe(String(id), query);
    await channel.returned.come;
    // Of 20 MiB.
    expect(server.receivedBytes()).toBeLessThan(512 * 1024);
  });
});

describe("When the server ends its subscriptions", () => {
  it("closes every socket as one that goes away, and ends what ran on it", async () => {
    const server = await LiveServer.start();
    const socket = await RawSocket.initialised(server.socketUrl);
    const channel = await listen(server, socket);
    const ending = server.subscriptions.end();
    expect(await socket.closed).toEqual({ code: 1001, reason: "Going away" });
    await channel.returned.come;
    await ending;
    expect(await refusedUpgrade(server.socketUrl)).toMatchObject({
      status: 503,
      body: { errors: [coded("SERVER_SHUTTING_DOWN")] },
    });
    await server.subscriptions.end();
  });

  it("answers first what is being asked on a socket", async () => {
    const server = await LiveServer.start();
    const socket = await RawSocket.initialised(server.socketUrl);
    socket.subscribe("1", "{ held }");
    await server.asked.come;
    const ending = server.subscriptions.end();
    server.answer.tell("at last");
    expect(await socket.next()).toMatchObject({ type: "next", payload: { data: { held: "at last" } } });
    expect(await socket.next()).toEqual({ type: "complete", id: "1" });
    expect((await socket.closed).code).toBe(1001);
    await ending;
  });

  it("does not wait for a client that takes no leave", async () => {
    const server = await LiveServer.start();
    const socket = await RawSocket.initialised(server.socketUrl);
    const channel = await listen(server, socket);
    socket.socket.pause();
    await server.subscriptions.end();
    await channel.returned.come;
  });

  it("does so, too, when the app is closed", async () => {
    const server = await LiveServer.start();
    const socket = await RawSocket.initialised(server.socketUrl);
    await server.close();
    expect((await socket.closed).code).toBe(1001);
  });
});
