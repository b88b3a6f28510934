import { connect } from "node:net";
import { describe, expect, it } from "@jest/globals";
import { askByText, startedConversation } from "../helpers/operations.js";
import { sharedParley } from "../helpers/parley.js";
import type { TestParley } from "../helpers/parley.js";

interface RawAnswer {
  status: number;
  body: string;
}

/** Sends these very lines; fetch would not let the Host be chosen. */
function raw(parley: TestParley, lines: readonly string[]): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(parley.url).port), "127.0.0.1");
    const chunks: Buffer[] = [];
    socket.on("connect", () => socket.write(`${lines.join("\r\n")}\r\n\r\n`));
    socket.on("data", (chunk: Buffer) => chunks.push(chunk));
    socket.on("error", reject);
    socket.on("close", () => {
      const text = Buffer.concat(chunks).toString();
      resolve({ status: Number(text.slice(9, 12)), body: text.slice(text.indexOf("\r\n\r\n")) });
    });
  });
}

function askedAs(parley: TestParley, host: string | null, path = "/graphql?query=%7B__typename%7D") {
  const headers = ["connection: close", "apollo-require-preflight: true"];
  return raw(parley, [`GET ${path} HTTP/1.1`, ...(host === null ? [] : [`host: ${host}`]), ...headers]);
}

describe("The host that a request names", () => {
  const local = sharedParley("sqlite");
  const published = sharedParley("sqlite", { env: { PUBLIC_URL: "https://parley.example.com" } });

  it.each(["127.0.0.1", "127.0.0.1:4000", "127.1.2.3", "localhost", "LOCALHOST:1", "[::1]", "[::1]:4000"])(
    "may be loopback: %s",
    async (host) => {
      expect((await askedAs(local(), host)).status).toBe(200);
      expect((await askedAs(published(), host)).status).toBe(200);
    },
  );

  it.each([
    "evil.example",
    "evil.example:4000",
    "parley.example.com",
    "127.0.0.1.evil.example",
    "localhost.evil.example",
    "127.0.0.1@evil.example",
    "localhost/@evil.example",
    "192.168.1.1",
    "0.0.0.0",
    "[::]",
    "[::ffff:8.8.8.8]",
    "",
    "%",
    "a b",
  ])("may not be another: %s", async (host) => {
    for (const path of [undefined, "/audio/clip_1.wav", "/graphiql", "/nothing"]) {
      const { status, body } = await askedAs(local(), host, path);
      expect([403, 400]).toContain(status);
      if (status === 403)
        expect(JSON.parse(body)).toMatchObject({ errors: [{ extensions: { code: "FORBIDDEN" } }] });
    }
  });

  it("must be there", async () => {
    expect((await askedAs(local(), null)).status).toBe(400);
    const old = await raw(local(), ["GET /graphql?query=%7B__typename%7D HTTP/1.0"]);
    expect(old.status).toBe(403);
  });

  it("may be PUBLIC_URL's, with its port written or not, and no other", async () => {
    for (const host of ["parley.example.com", "Parley.Example.com", "parley.example.com:443"])
      expect([host, (await askedAs(published(), host)).status]).toEqual([host, 200]);
    for (const host of [
      "parley.example.com:80",
      "parley.example.com:8443",
      "example.com",
      "a.parley.example.com",
    ])
      expect([host, (await askedAs(published(), host)).status]).toEqual([host, 403]);
  });

  it("is where audio is served, unless PUBLIC_URL says where", async () => {
    const turn = async (parley: TestParley) => askByText(parley, await startedConversation(parley), "Hello");
    const clip = (await turn(local())).assistantMessage?.audio;
    expect(clip?.url).toBe(`${local().url}/audio/${clip?.id}.wav`);
    const publicClip = (await turn(published())).assistantMessage?.audio;
    expect(publicClip?.url).toBe(`https://parley.example.com/audio/${publicClip?.id}.wav`);
  });
});

describe("A page of another origin", () => {
  const parley = sharedParley("sqlite");
  const several = sharedParley("sqlite", {
    env: { CORS_ORIGINS: "https://app.example.com,http://localhost:3000" },
  });
  const sandbox = "https://studio.apollographql.com";

  function preflight(at: TestParley, origin: string, path = "/graphql") {
    return fetch(at.url + path, {
      method: "OPTIONS",
      headers: {
        origin,
        "access-control-request-method": "POST",
        "access-control-request-headers": "content-type,apollo-require-preflight",
      },
    });
  }

  it("may ask where it is listed: the hosted Sandbox unless it is set otherwise", async () => {
    const allowed: [TestParley, string][] = [
      [parley(), sandbox],
      [several(), "https://app.example.com"],
      [several(), "http://localhost:3000"],
    ];
    for (const [at, origin] of allowed) {
      const response = await preflight(at, origin);
      expect(response.status).toBe(204);
      expect(response.headers.get("access-control-allow-origin")).toBe(origin);
      expect(response.headers.get("access-control-allow-methods")).toContain("POST");
      expect(response.headers.get("access-control-allow-headers")).toContain("apollo-require-preflight");
      expect(response.headers.get("vary")).toMatch(/origin/i);
    }
  });

  it("may not where it is not listed", async () => {
    const refused: [TestParley, string][] = [
      [parley(), "https://evil.example"],
      [parley(), "null"],
      [parley(), "http://studio.apollographql.com"],
      [parley(), `${sandbox}.evil.example`],
      [several(), sandbox],
      [several(), "http://localhost:3001"],
    ];
    for (const [at, origin] of refused) {
      const answers = [
        await preflight(at, origin),
        await fetch(`${at.url}/graphql?query={__typename}`, {
          headers: { origin, "apollo-require-preflight": "1" },
        }),
      ];
      for (const { headers } of answers) {
        expect([null, "false"]).toContain(headers.get("access-control-allow-origin"));
        expect(headers.get("access-control-allow-credentials")).toBeNull();
      }
    }
  });

  it("can read what it needs to play and seek audio", async () => {
    const turn = await askByText(parley(), await startedConversation(parley()), "Hello");
    const url = turn.assistantMessage?.audio?.url ?? "";
    const { headers, status } = await fetch(url, { headers: { origin: sandbox, range: "bytes=0-9" } });
    expect([status, headers.get("access-control-allow-origin")]).toEqual([206, sandbox]);
    for (const name of ["Content-Range", "ETag", "Accept-Ranges"])
      expect(headers.get("access-control-expose-headers")).toContain(name);
  });
});
