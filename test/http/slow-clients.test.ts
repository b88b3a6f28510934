import { once } from "node:events";
import { connect } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { afterEach, describe, expect, it } from "@jest/globals";
import type { Env } from "../../src/config/env.js";
import { createHttpApp } from "../../src/http/app.js";
import type { HttpApp } from "../../src/http/app.js";
import { clientTimes } from "../../src/http/limits/slow-clients.js";
import type { ClientTimes } from "../../src/http/limits/slow-clients.js";
import { addAudioTurn, startedConversation } from "../helpers/operations.js";
import { TestParley } from "../helpers/parley.js";
import { spokenWav } from "../helpers/sound.js";
import { createdUpload } from "../helpers/uploads.js";

const apps: HttpApp[] = [];
const pacers: NodeJS.Timeout[] = [];

afterEach(async () => {
  for (const pacer of pacers.splice(0)) clearInterval(pacer);
  await Promise.all(apps.splice(0).map(({ app }) => app.close()));
});

/** A server that looks at its clients often. */
async function impatient(times: Partial<ClientTimes>, env: Env = {}) {
  const parley = await TestParley.start("sqlite", { env });
  const http = await createHttpApp(parley.server.context, { ...clientTimes, checkMs: 50, ...times });
  apps.push(http);
  await http.app.listen({ host: "127.0.0.1", port: 0 });
  const { port } = http.app.server.address() as AddressInfo;
  return { parley, port, server: http.app.server };
}

function open(port: number): Socket {
  return connect(port, "127.0.0.1").on("error", () => undefined);
}

/** Everything that is answered until the connection is closed, in whatever way. */
function answerOn(socket: Socket): Promise<string> {
  let answer = "";
  socket.on("data", (data) => (answer += data.toString("latin1")));
  return new Promise((resolve) => socket.once("close", () => resolve(answer)));
}

/** Sends the bytes piece by piece. */
function trickle(socket: Socket, bytes: Uint8Array, pieceLength: number, everyMs: number): void {
  let sent = 0;
  const pacer = setInterval(() => {
    if (sent >= bytes.byteLength || socket.destroyed) return clearInterval(pacer);
    socket.write(bytes.subarray(sent, (sent += pieceLength)));
  }, everyMs);
  pacers.push(pacer);
}

const jsonHead = (byteLength: number) =>
  `POST /graphql HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: ${byteLength}\r\n\r\n`;

async function uploadBody(parley: TestParley, sound: Uint8Array): Promise<Buffer> {
  const part = (name: string, value: string) =>
    `--B\r\ncontent-disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;
  const variables = { input: { conversationId: await startedConversation(parley), audio: { upload: null } } };
  return Buffer.concat([
    Buffer.from(
      part("operations", JSON.stringify({ query: addAudioTurn, variables })) +
        part("map", JSON.stringify({ 0: ["variables.input.audio.upload"] })) +
        '--B\r\ncontent-disposition: form-data; name="0"; filename="a.wav"\r\n\r\n',
    ),
    sound,
    Buffer.from("\r\n--B--\r\n"),
  ]);
}

const uploadHead = (byteLength: number) =>
  "POST /graphql HTTP/1.1\r\nhost: localhost\r\napollo-require-preflight: true\r\nconnection: close\r\n" +
  `content-type: multipart/form-data; boundary=B\r\ncontent-length: ${byteLength}\r\n\r\n`;

describe("a client that is slow", () => {
  it("with its headers is answered 408 and cut off, also while it sends a byte now and then", async () => {
    const { port } = await impatient({ headersMs: 300 });
    const socket = open(port);
    const head = Buffer.from(`GET /healthz HTTP/1.1\r\nhost: localhost\r\nx-slow: ${"x".repeat(10_000)}`);
    trickle(socket, head, 1, 20);
    expect(await answerOn(socket)).toMatch(/^HTTP\/1\.1 408 /);
  });

  it.each(["nothing more", "a byte now and then"])(
    "with its body, %s, is answered 408 and cut off",
    async (what) => {
      const { port } = await impatient({ bodyProgressMs: 300 });
      const socket = open(port);
      socket.write(`${jsonHead(100_000)}{"query":"`);
      if (what !== "nothing more") trickle(socket, Buffer.alloc(50_000, "x"), 1, 20);
      expect(await answerOn(socket)).toMatch(/^HTTP\/1\.1 408 /);
    },
  );

  it("with a file that it uploads is cut off, and nothing of the file is kept", async () => {
    const { parley, port } = await impatient({ bodyProgressMs: 300 });
    const body = await uploadBody(parley, spokenWav(4_000));
    const socket = open(port);
    socket.write(uploadHead(body.byteLength));
    socket.write(body.subarray(0, body.byteLength / 2));
    trickle(socket, body.subarray(body.byteLength / 2), 1, 20);
    expect(await answerOn(socket)).toMatch(/^HTTP\/1\.1 408 /);
    expect(await parley.server.context.database.client.turn.count()).toBe(0);
  });

  it("with a file that it sends to its own URL is cut off, and nothing of the file is kept", async () => {
    const { parley, port } = await impatient({ bodyProgressMs: 300 });
    const { uploadUrl } = await createdUpload(parley, 100_000);
    const { pathname, search } = new URL(uploadUrl);
    const socket = open(port);
    socket.write(`PUT ${pathname}${search} HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100000\r\n\r\n`);
    trickle(socket, Buffer.alloc(1_000), 1, 20);
    expect(await answerOn(socket)).toMatch(/^HTTP\/1\.1 408 /);
    expect(
      await parley.server.context.database.client.audioUpload.count({ where: { receivedAt: null } }),
    ).toBe(1);
  });

  it("with a file that it uploads is waited for as long as it goes on", async () => {
    const { parley, port } = await impatient({ bodyProgressMs: 3_000 });
    const body = await uploadBody(parley, spokenWav(8_000));
    const socket = open(port);
    const begunMs = Date.now();
    socket.write(uploadHead(body.byteLength));
    // Some ten seconds, three times as long as the server waits without progress.
    trickle(socket, body, 8_192, 200);
    const answer = await answerOn(socket);
    expect(Date.now() - begunMs).toBeGreaterThan(6_000);
    expect(answer).toMatch(/^HTTP\/1\.1 200 /);
    expect(answer).toContain('"status":"COMPLETED"');
  });

  it("with the next request is let go", async () => {
    const { port } = await impatient({ keepAliveMs: 100 });
    const socket = open(port);
    socket.write("GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n");
    expect(await answerOn(socket)).toMatch(/^HTTP\/1\.1 200 /);
  });
});

describe("a thousand connections that send half a request or nothing", () => {
  it("keep nobody else from being served, and are all gone when their time is over", async () => {
    const { port, server } = await impatient({ headersMs: 20_000 });
    const sockets = Array.from({ length: 1_000 }, () => open(port));
    const closed = Promise.all(sockets.map((socket) => answerOn(socket)));
    await Promise.all(sockets.map((socket) => once(socket, "connect")));
    sockets.forEach((socket, index) => {
      if (index % 2 === 0) socket.write("POST /graphql HTTP/1.1\r\nhost: local");
    });
    const body = JSON.stringify({ query: "{ viewer { id } }" });
    for (let request = 0; request < 10; request += 1) {
      const headers = { "content-type": "application/json", connection: "close" };
      const answer = await fetch(`http://127.0.0.1:${port}/graphql`, { method: "POST", headers, body });
      expect(await answer.json()).toMatchObject({ data: { viewer: { id: "viewer_local" } } });
    }
    expect(sockets.filter((socket) => socket.closed)).toEqual([]);
    await closed;
    const open_ = await new Promise<number>((resolve, reject) => {
      server.getConnections((error, count) => (error === null ? resolve(count) : reject(error)));
    });
    expect(open_).toBeLessThanOrEqual(1);
  });
});

describe("a connection", () => {
  it("beyond those that its address may have is closed without an answer, until another one ends", async () => {
    const { port } = await impatient({}, { MAX_CONNECTIONS_PER_ADDRESS: "2" });
    const [first, second] = [open(port), open(port)];
    await Promise.all([once(first, "connect"), once(second, "connect")]);
    expect(await answerOn(open(port))).toBe("");
    const ended = once(first.resume(), "close");
    first.end();
    await ended;
    const request = "GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    for (let answer = ""; answer === "";) {
      const socket = open(port);
      socket.write(request);
      answer = await answerOn(socket);
      if (answer !== "") expect(answer).toMatch(/^HTTP\/1\.1 200 /);
    }
  });

  it("whose headers are too long is answered 431", async () => {
    const { port } = await impatient({});
    const socket = open(port);
    socket.write(`GET /healthz HTTP/1.1\r\nhost: localhost\r\nx-long: ${"x".repeat(20_000)}\r\n\r\n`);
    expect(await answerOn(socket)).toMatch(/^HTTP\/1\.1 431 /);
  });
});
