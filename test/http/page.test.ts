import { readFile, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { brotliDecompressSync, gunzipSync } from "node:zlib";

import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import Fastify from "fastify";

import { registerPage } from "../../src/http/page.js";
import { TestParley } from "../helpers/parley.js";

/** What a first visit may load, in bytes as they are sent: the page's script and its style, compressed. */
const budget = { script: 128 * 1024, style: 4 * 1024 };

/** As `npm run build` has made it; it runs before the tests. */
const folder = fileURLToPath(new URL("../../dist/page", import.meta.url));
const cleanups: (() => Promise<unknown>)[] = [];
let origin: string;

beforeAll(async () => {
  origin = await serve(folder);
});

afterAll(async () => {
  for (const cleanup of cleanups.reverse()) await cleanup();
});

async function serve(pageDir: string): Promise<string> {
  const app = Fastify({ forceCloseConnections: true });
  cleanups.push(() => app.close());
  await registerPage(app, { pageDir: pathToFileURL(`${pageDir}/`) });
  return app.listen({ host: "127.0.0.1", port: 0 });
}

async function assetNamed(pattern: RegExp): Promise<string> {
  const name = (await readdir(join(folder, "assets"))).find((file) => pattern.test(file));
  if (name === undefined) throw new Error(`There is no asset like ${String(pattern)}.`);
  return name;
}

async function sizeOf(name: string): Promise<number> {
  return (await stat(join(folder, "assets", name))).size;
}

/** Without fetch's own decompression. */
function get(name: string, encodings: string): Promise<Response> {
  return fetch(`${origin}/assets/${name}`, { headers: { "accept-encoding": encodings } });
}

describe("The page at /", () => {
  it("is asked for anew each time, and not sent again while it is the same", async () => {
    const first = await fetch(origin);
    expect(first.headers.get("cache-control")).toBe("no-cache");
    expect(first.headers.get("content-type")).toBe("text/html; charset=utf-8");
    const etag = first.headers.get("etag") ?? "";
    const again = await fetch(origin, { headers: { "if-none-match": etag } });
    expect(again.status).toBe(304);
  });

  it("runs its own scripts only, plays its own sound only, and can't be framed", async () => {
    const { headers } = await fetch(origin);
    const policy = headers.get("content-security-policy") ?? "";
    for (const directive of [
      "default-src 'none'",
      "script-src 'self'",
      "style-src 'self'",
      "connect-src 'self'",
      "frame-ancestors 'none'",
    ])
      expect(policy.split("; ")).toContain(directive);
    expect(policy).not.toMatch(/unsafe|https?:|\*/);
    expect(headers.get("permissions-policy")).toContain("microphone=(self)");
    expect(headers.get("x-content-type-options")).toBe("nosniff");
  });

  it("loads nothing from elsewhere, and nothing that is written into the page itself", async () => {
    const page = await (await fetch(origin)).text();
    const sources = [...page.matchAll(/(?:src|href)="([^"]*)"/g)].map((match) => match[1] ?? "");
    expect(sources).toHaveLength(3);
    for (const source of sources) {
      expect(source).toMatch(/^\/assets\/[\w-]+\.(js|css|svg)$/);
      expect((await fetch(origin + source)).status).toBe(200);
    }
    expect(page).not.toMatch(/<script(?![^>]*src=)|<style| style=| on\w+=/);
  });

  it.each([
    ["br, gzip", "br"],
    ["gzip, deflate", "gzip"],
    ["br;q=0, gzip;q=0.5", "gzip"],
    ["identity", null],
  ])("sends a script that accepts %s as %s, to be kept for good", async (accepted, encoding) => {
    const response = await get(await assetNamed(/\.js$/), accepted);
    expect(response.status).toBe(200);
    expect(response.headers.get("content-encoding")).toBe(encoding);
    expect(response.headers.get("vary")).toContain("accept-encoding");
    expect(response.headers.get("cache-control")).toBe("public, max-age=31536000, immutable");
    expect(await response.text()).toContain("graphql-transport-ws");
  });

  it("holds the same script in every encoding", async () => {
    const name = await assetNamed(/\.js$/);
    const [plain, br, gz] = await Promise.all(
      ["", ".br", ".gz"].map((ending) => readFile(join(folder, "assets", name + ending))),
    );
    expect(brotliDecompressSync(br ?? Buffer.alloc(0))).toEqual(plain);
    expect(gunzipSync(gz ?? Buffer.alloc(0))).toEqual(plain);
  });

  it("is small", async () => {
    expect(await sizeOf(await assetNamed(/\.js\.br$/))).toBeLessThan(budget.script);
    expect(await sizeOf(await assetNamed(/\.css\.br$/))).toBeLessThan(budget.style);
  });

  it.each(["../stamp", "%2e%2e/stamp", "..%2fstamp", "index.js.br"])(
    "serves no file but assets by their names: %s",
    async (name) => {
      expect([403, 404]).toContain((await fetch(`${origin}/assets/${name}`)).status);
    },
  );

  it("says how it is built where it was not", async () => {
    const response = await fetch(await serve(join(folder, "absent")));
    expect(response.status).toBe(404);
    expect(await response.text()).toContain("npm run build");
  });

  it("is part of the server, in production too, unless PAGE turns it off", async () => {
    const on = await TestParley.start("sqlite", { env: { NODE_ENV: "production", STAND_IN: "1" } });
    expect(await (await fetch(on.url)).text()).toContain("<title>Parley</title>");
    const off = await TestParley.start("sqlite", { env: { PAGE: "off" } });
    expect((await fetch(off.url)).status).toBe(404);
  });
});
