import { connect } from "node:net";
import { describe, expect, it } from "@jest/globals";
import { askByText, startedConversation } from "../helpers/operations.js";
import { keyOf } from "../helpers/people.js";
import { sharedParley } from "../helpers/parley.js";
import type { TestParley } from "../helpers/parley.js";
import { createdUpload } from "../helpers/uploads.js";

/** What every answer has, whatever it is. */
const everywhere = { "x-content-type-options": "nosniff", "referrer-policy": "no-referrer" };
const own = { "cross-origin-opener-policy": "same-origin", "cross-origin-resource-policy": "same-origin" };
const noPage = {
  ...everywhere,
  ...own,
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  "cache-control": "no-store",
};
const closedPage = {
  ...everywhere,
  ...own,
  "content-security-policy": /^default-src 'none';.*frame-ancestors 'none'/,
};
const audio = {
  ...everywhere,
  "content-security-policy": "default-src 'none'; sandbox",
  "cross-origin-resource-policy": "cross-origin",
};

type Expected = Readonly<Record<string, string | RegExp>>;

function expectHeaders(headers: Headers, expected: Expected): void {
  for (const [name, value] of Object.entries(expected)) {
    const given = headers.get(name) ?? `no ${name}`;
    expect(given).toEqual(typeof value === "string" ? value : expect.stringMatching(value));
  }
}

const json = { "content-type": "application/json" };
const preflight = { "apollo-require-preflight": "true" };
const multipart = { ...json, accept: "multipart/mixed;subscriptionSpec=1.0" };
const listen = JSON.stringify({ query: "subscription { viewerEvents { cursor } }" });
const post = (query: string, headers: Record<string, string> = json): RequestInit => ({
  method: "POST",
  headers,
  body: JSON.stringify({ query }),
});

const table: [name: string, path: string, init: RequestInit, status: number, expected: Expected][] = [
  ["an answer of the API", "/graphql", post("{ viewer { id } }"), 200, noPage],
  ["an answer to a GET", "/graphql?query=%7B__typename%7D", { headers: preflight }, 200, noPage],
  ["an error of the API", "/graphql", post("{ nothing }"), 400, noPage],
  ["a body that is no JSON", "/graphql", { method: "POST", headers: json, body: "{" }, 400, noPage],
  [
    "a request of a foreign page",
    "/graphql",
    post("{ viewer { id } }", { "content-type": "text/plain" }),
    400,
    noPage,
  ],
  [
    "a preflight",
    "/graphql",
    {
      method: "OPTIONS",
      headers: { origin: "https://studio.apollographql.com", "access-control-request-method": "POST" },
    },
    204,
    noPage,
  ],
  ["another method", "/graphql", { method: "DELETE" }, 405, noPage],
  ["events by multipart", "/graphql", { method: "POST", headers: multipart, body: listen }, 200, noPage],
  ["a place that is not there", "/nothing", {}, 404, noPage],
  ["a path that can't be decoded", "/%ff", {}, 400, noPage],
  ["a clip that is not there", "/audio/clip_01K00000000000000000000000.wav", {}, 404, noPage],
  ["audio that is written to", "/audio/x", { method: "POST" }, 405, noPage],
  ["an upload that nobody signed", "/uploads/upload_x", { method: "PUT", body: "x" }, 403, noPage],
  ["an upload that is read", "/uploads/upload_x", {}, 405, noPage],
  ["whether it lives", "/healthz", {}, 200, noPage],
  ["whether it is ready", "/readyz", {}, 200, noPage],
  ["the page", "/", {}, 200, closedPage],
  ["an asset of the page that is not there", "/assets/x.js", {}, 404, closedPage],
  ["GraphiQL", "/graphiql", {}, 200, closedPage],
  [
    "Sandbox",
    "/graphql",
    { headers: { accept: "text/html" } },
    200,
    {
      "x-content-type-options": "nosniff",
      // To other origins goes the own origin, and never an address.
      "referrer-policy": "strict-origin",
      "content-security-policy": "object-src 'none'; base-uri 'none'; frame-ancestors 'none'",
      "cross-origin-opener-policy": "same-origin-allow-popups",
    },
  ],
];

describe("The security headers", () => {
  const shared = sharedParley("sqlite");
  const published = sharedParley("sqlite", { env: { PUBLIC_URL: "https://parley.example.com" } });
  const plain = sharedParley("sqlite", { env: { PUBLIC_URL: "http://parley.example.com" } });
  const signedIn = sharedParley("sqlite", { env: { AUTH: "api-key" } });

  it.each(table)("are there on %s", async (_name, path, init, status, expected) => {
    for (const [parley, transport] of [
      [shared(), "no strict-transport-security"],
      [plain(), "no strict-transport-security"],
      [published(), "max-age=31536000"],
    ] as const) {
      const response = await fetch(parley.url + path, init);
      await response.body?.cancel();
      expect(response.status).toBe(status);
      expectHeaders(response.headers, expected);
      const told = response.headers.get("strict-transport-security") ?? "no strict-transport-security";
      expect(told).toBe(transport);
    }
  });

  it("are there on a clip, whole, in part and as a download, which pages of other sites may play", async () => {
    const { url } = await clipOf(shared());
    for (const [suffix, init, status] of [
      ["", {}, 200],
      ["", { method: "HEAD" }, 200],
      ["", { headers: { range: "bytes=0-9" } }, 206],
      ["?download=a.html", {}, 200],
      ["", { headers: { range: "bytes=999999999-" } }, 416],
    ] as const) {
      const response = await fetch(url + suffix, init);
      await response.arrayBuffer();
      expect(response.status).toBe(status);
      expectHeaders(response.headers, status === 416 ? noPage : { ...audio, "content-type": "audio/wav" });
    }
  });

  it("are there on an upload that was taken", async () => {
    const upload = await createdUpload(shared(), 3);
    const response = await fetch(upload.uploadUrl, {
      method: "PUT",
      headers: { "content-type": "text/html" },
      body: "abc",
    });
    expect(response.status).toBe(200);
    expectHeaders(response.headers, { ...noPage, "content-type": /^application\/json/ });
  });

  it("are there on what is refused to strangers", async () => {
    const { url } = signedIn();
    for (const [path, init] of [
      ["/graphql", post("{ viewer { id } }")],
      ["/audio/clip_01K00000000000000000000000", {}],
    ] as const) {
      const response = await fetch(url + path, init);
      expect(response.status).toBe(401);
      expectHeaders(response.headers, noPage);
    }
    const { headers } = await keyOf(signedIn(), "ada");
    const answer = await signedIn().send("{ viewer { id } }", {}, headers);
    expect(answer.status).toBe(200);
    expectHeaders(answer.headers, noPage);
  });

  it("are there on what is refused to a foreign host, and to a socket", async () => {
    const upgrade = ["connection: upgrade", "upgrade: websocket"];
    for (const lines of [
      ["GET / HTTP/1.1", "host: evil.example", "connection: close"],
      ["GET /graphql HTTP/1.1", "host: evil.example", ...upgrade],
      ["GET /graphql HTTP/1.1", "host: 127.0.0.1", "origin: https://evil.example", ...upgrade],
    ]) {
      const { status, headers } = await raw(published(), lines);
      expect(status).toBe(403);
      expectHeaders(headers, { ...noPage, "strict-transport-security": "max-age=31536000" });
    }
  });
});

async function clipOf(parley: TestParley): Promise<{ url: string }> {
  const turn = await askByText(parley, await startedConversation(parley), "Say 'one'.");
  const clip = turn.assistantMessage?.audio;
  if (clip == null) throw new Error("there is no clip");
  return clip;
}

/** Sends these very lines; fetch would let neither the Host nor an upgrade be chosen. */
function raw(parley: TestParley, lines: readonly string[]): Promise<{ status: number; headers: Headers }> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(parley.url).port), "127.0.0.1");
    const chunks: Buffer[] = [];
    socket.on("connect", () => socket.write(`${lines.join("\r\n")}\r\n\r\n`));
    socket.on("data", (chunk: Buffer) => chunks.push(chunk));
    socket.on("error", reject);
    socket.on("close", () => {
      const [head = ""] = Buffer.concat(chunks).toString().split("\r\n\r\n");
      const [first = "", ...named] = head.split("\r\n");
      const pairs = named.map((line): [string, string] => {
        const colon = line.indexOf(":");
        return [line.slice(0, colon), line.slice(colon + 1).trim()];
      });
      resolve({ status: Number(first.slice(9, 12)), headers: new Headers(pairs) });
    });
  });
}
