import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

import { ApolloServer } from "@apollo/server";
import fastifyApollo from "@as-integrations/fastify";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import Fastify from "fastify";

import { buildExplorer } from "../../scripts/explorer.js";
import { registerExplorer, sandboxLandingPage } from "../../src/http/explorers.js";

const cleanups: (() => Promise<unknown>)[] = [];
let folder: string;
let origin: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "parley-explorer-"));
  cleanups.push(() => rm(folder, { recursive: true }));
  await buildExplorer(folder, () => undefined);
  origin = await serve(folder);
});

afterAll(async () => {
  for (const cleanup of cleanups.reverse()) await cleanup();
});

async function serve(explorerDir: string): Promise<string> {
  const app = Fastify({ forceCloseConnections: true });
  cleanups.push(() => app.close());
  const apollo = new ApolloServer({
    typeDefs: "type Query { ok: Boolean }",
    plugins: [sandboxLandingPage()],
  });
  await apollo.start();
  cleanups.push(() => apollo.stop());
  await app.register(fastifyApollo(apollo), { path: "/graphql" });
  await registerExplorer(app, { explorerDir: pathToFileURL(`${explorerDir}/`) });
  return app.listen({ host: "127.0.0.1", port: 0 });
}

async function assetPaths(): Promise<string[]> {
  const names = await readdir(join(folder, "assets"));
  return names.map((name) => `/graphiql/assets/${name}`);
}

function directives(response: Response): Map<string, string> {
  const policy = response.headers.get("content-security-policy") ?? "";
  return new Map(
    policy.split("; ").map((directive) => {
      const [name = "", ...sources] = directive.split(" ");
      return [name, sources.join(" ")];
    }),
  );
}

describe("GraphiQL", () => {
  it.each(["/graphiql", "/graphiql/"])("is a page at %s that is asked for anew each time", async (path) => {
    const response = await fetch(origin + path);
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe("text/html; charset=utf-8");
    expect(response.headers.get("cache-control")).toBe("no-cache");
    expect(await response.text()).toContain("<title>Parley: GraphiQL</title>");
  });

  it("runs scripts from its own files only, and can't be framed", async () => {
    const policy = directives(await fetch(`${origin}/graphiql`));
    expect(policy.get("default-src")).toBe("'none'");
    expect(policy.get("script-src")).toBe("'self'");
    expect(policy.get("connect-src")).toBe("'self'");
    expect(policy.get("frame-ancestors")).toBe("'none'");
    expect([...policy.values()].join(" ")).not.toMatch(/https?:|\*|unsafe-eval/);
  });

  it("sends its security headers with assets and with missing files too", async () => {
    const [asset = ""] = await assetPaths();
    for (const path of ["/graphiql", asset, "/graphiql/assets/missing.js"]) {
      const { headers } = await fetch(origin + path);
      expect(headers.get("content-security-policy")).toContain("default-src 'none'");
      expect(headers.get("x-content-type-options")).toBe("nosniff");
      expect(headers.get("referrer-policy")).toBe("no-referrer");
    }
  });

  it("loads nothing from elsewhere", async () => {
    const page = await (await fetch(`${origin}/graphiql`)).text();
    const sources = [...page.matchAll(/(?:src|href)="([^"]*)"/g)].map((match) => match[1] ?? "");
    expect(sources).toHaveLength(3);
    for (const source of sources) expect(source).toMatch(/^\/graphiql\/assets\/[\w.-]+$|^data:,$/);
    const style = await (await fetch(origin + (sources.find((name) => name.endsWith(".css")) ?? ""))).text();
    expect(style).not.toMatch(/url\(["']?https?:|@import/);
  });

  it("serves the page's script, its style and the three workers that the script names", async () => {
    const page = await (await fetch(`${origin}/graphiql`)).text();
    const [scriptPath = ""] = /\/graphiql\/assets\/[\w-]+\.js/.exec(page) ?? [];
    const script = await (await fetch(origin + scriptPath)).text();
    const named = `${page}${script}`.matchAll(/\/graphiql\/assets\/[\w-]+\.(?:js|css)/g);
    const paths = new Set([...named].map(([path]) => path));
    expect([...paths].sort()).toEqual((await assetPaths()).sort());
    for (const path of paths) {
      const response = await fetch(origin + path);
      expect(response.status).toBe(200);
      expect(response.headers.get("content-type")).toMatch(path.endsWith(".js") ? /javascript/ : /css/);
      expect(response.headers.get("cache-control")).toBe("public, max-age=31536000, immutable");
    }
    expect(script).toContain("mutation StartConversation");
    expect(script).toContain("graphql-transport-ws");
  });

  it.each(["../stamp", "%2e%2e/stamp", "..%2fstamp", ""])("serves no file but assets: %s", async (path) => {
    const response = await fetch(`${origin}/graphiql/assets/${path}`);
    expect([403, 404]).toContain(response.status);
  });

  it("is bundled once for the same sources", async () => {
    const before = await readdir(join(folder, "assets"));
    let starts = 0;
    await buildExplorer(folder, () => starts++);
    expect(starts).toBe(0);
    expect(await readdir(join(folder, "assets"))).toEqual(before);
  });

  it("says how it is built where it was not", async () => {
    const response = await fetch(`${await serve(join(folder, "absent"))}/graphiql`);
    expect(response.status).toBe(404);
    expect(response.headers.get("content-type")).toBe("text/plain; charset=utf-8");
    expect(await response.text()).toContain("npm run build");
  });

  it("leaves the headers of other routes alone", async () => {
    const { headers } = await fetch(`${origin}/graphql?query={ok}`, {
      headers: { "apollo-require-preflight": "true" },
    });
    expect(headers.get("content-security-policy")).toBeNull();
  });
});

describe("Apollo Sandbox", () => {
  async function landingPage(): Promise<string> {
    const response = await fetch(`${origin}/graphql`, { headers: { accept: "text/html" } });
    expect(response.status).toBe(200);
    return response.text();
  }

  it("opens with the first conversation and the header that uploads need", async () => {
    const [, config = "{}"] = /var embeddedSandboxConfig = (.*);/.exec(await landingPage()) ?? [];
    expect(JSON.parse(config)).toMatchObject({
      runTelemetry: false,
      initialState: {
        document: expect.stringContaining("mutation StartConversation"),
        variables: { title: "Dogs" },
        headers: { "apollo-require-preflight": "true" },
        sharedHeaders: { "apollo-require-preflight": "true" },
        includeCookies: false,
      },
    });
  });

  it("subscribes over a WebSocket", async () => {
    expect(await landingPage()).toMatch(
      /EmbeddedSandbox\([^)]*initialSubscriptionEndpoint: initialEndpoint\.replace\(\/\^http\/, "ws"\)/,
    );
  });

  it("names GraphiQL to those who are offline", async () => {
    expect(await landingPage()).toContain(
      "you might be offline. GraphiQL needs no internet: open /graphiql.",
    );
  });
});
