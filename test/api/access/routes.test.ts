import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { describe, expect, it } from "@jest/globals";
import type { FastifyInstance } from "fastify";
import { createHttpApp } from "../../../src/http/app.js";
import { onEachDatabase } from "../../helpers/databases.js";
import { World, everybody, nothing } from "./world.js";
import type { Things, Who } from "./world.js";

/** What each of them is answered, in the order of `everybody`. */
type Row = [
  owner: number,
  other: number,
  otherTenant: number,
  operator: number,
  anonymous: number,
  gone: number,
];

/** No method for anybody. */
const refused: Row = [405, 405, 405, 405, 405, 405];
/** Open to all: nothing of anybody is there. */
const open: Row = [200, 200, 200, 200, 200, 200];
const operation = `/graphql?query=${encodeURIComponent("{ conversations { totalCount } }")}`;

/** By the route, without what the server answers to a method that it does not take. */
const routes: Record<string, { path: (things: Things) => string; row: Row }> = {
  "GET /audio/*": { path: plainUrl, row: [200, 404, 404, 403, 401, 401] },
  "HEAD /audio/*": { path: plainUrl, row: [200, 404, 404, 403, 401, 401] },
  "POST /audio/*": { path: plainUrl, row: refused },
  "PUT /audio/*": { path: plainUrl, row: refused },
  "PATCH /audio/*": { path: plainUrl, row: refused },
  "DELETE /audio/*": { path: plainUrl, row: refused },
  "GET /uploads/:id": { path: () => "/uploads/upl_00000000000000000000000000", row: refused },
  "HEAD /uploads/:id": { path: () => "/uploads/upl_00000000000000000000000000", row: refused },
  "POST /uploads/:id": { path: () => "/uploads/upl_00000000000000000000000000", row: refused },
  "PATCH /uploads/:id": { path: () => "/uploads/upl_00000000000000000000000000", row: refused },
  "DELETE /uploads/:id": { path: () => "/uploads/upl_00000000000000000000000000", row: refused },
  "GET /export": { path: () => "/export", row: [200, 200, 200, 403, 401, 401] },
  "GET /graphql": { path: () => operation, row: [200, 200, 200, 200, 401, 401] },
  "PUT /graphql": { path: () => "/graphql", row: [405, 405, 405, 405, 401, 401] },
  "PATCH /graphql": { path: () => "/graphql", row: [405, 405, 405, 405, 401, 401] },
  "DELETE /graphql": { path: () => "/graphql", row: [405, 405, 405, 405, 401, 401] },
  "GET /healthz": { path: () => "/healthz", row: open },
  "HEAD /healthz": { path: () => "/healthz", row: open },
  "GET /readyz": { path: () => "/readyz", row: open },
  "HEAD /readyz": { path: () => "/readyz", row: open },
  "GET /": { path: () => "/", row: open },
  "HEAD /": { path: () => "/", row: open },
  "GET /graphiql": { path: () => "/graphiql", row: open },
  "HEAD /graphiql": { path: () => "/graphiql", row: open },
};

/** Tried with operations or signed URLs (below and in fields.test.ts), or files of the page and of GraphiQL, open to all. */
const otherRoutes = [
  "OPTIONS *",
  "HEAD /graphql",
  "POST /graphql",
  "PUT /uploads/:id",
  "GET /assets/:name",
  "HEAD /assets/:name",
  "GET /graphiql/",
  "HEAD /graphiql/",
  "GET /graphiql/assets/:name",
  "HEAD /graphiql/assets/:name",
];

function plainUrl({ clipUrl }: Things): string {
  return new URL(clipUrl).pathname;
}

async function statuses(world: World, method: string, path: string): Promise<number[]> {
  const asked = everybody.map(async (who) => {
    const headers = { ...world.credentials[who], "apollo-require-preflight": "true" };
    const response = await fetch(world.parley.url + path, { method, headers });
    await response.arrayBuffer();
    return response.status;
  });
  return Promise.all(asked);
}

describe.each(["api-key", "jwt"] as const)("with AUTH=%s", (auth) => {
  onEachDatabase("each route", (kind) => {
    it("is open to whom it is for, and to nobody else", async () => {
      const world = await World.start(kind, auth);
      const things = await world.things();
      for (const [route, { path, row }] of Object.entries(routes)) {
        const [method = ""] = route.split(" ");
        expect([route, ...(await statuses(world, method, path(things)))]).toEqual([route, ...row]);
      }
    });

    it("tells nothing of a clip to whom it is not for: as if it were not there", async () => {
      const world = await World.start(kind, auth);
      const things = await world.things();
      const read = async (who: Who, clipId: string) => {
        const response = await fetch(`${world.parley.url}/audio/${clipId}.wav`, {
          headers: world.credentials[who],
        });
        return (await response.text()).replace(/req_\w+/, "");
      };
      for (const who of everybody.filter((each) => each !== "owner"))
        expect([who, await read(who, things.clipId)]).toEqual([who, await read(who, nothing.clipId)]);
    });

    it("plays a clip by its own URL alone, whoever has it, as long as no part of it is changed", async () => {
      const world = await World.start(kind, auth);
      const { clipUrl } = await world.things();
      const url = new URL(clipUrl);
      expect((await fetch(url)).status).toBe(200);
      for (const name of url.searchParams.keys()) {
        const changed = new URL(url);
        changed.searchParams.set(name, `${url.searchParams.get(name) ?? ""}1`);
        expect([name, (await fetch(changed)).status]).toEqual([name, 403]);
      }
      const otherClip = new URL((await world.things()).clipUrl);
      otherClip.search = url.search;
      expect((await fetch(otherClip)).status).toBe(403);
    });

    it("takes a file by the URL that was signed for it alone", async () => {
      const world = await World.start(kind, auth);
      const url = new URL((await world.upload(10)).uploadUrl);
      const put = async (to: URL, who: Who) =>
        (await fetch(to, { method: "PUT", body: "0123456789", headers: world.credentials[who] })).status;
      for (const who of everybody) expect(await put(new URL(url.pathname, url), who)).toBe(403);
      for (const name of url.searchParams.keys()) {
        const changed = new URL(url);
        changed.searchParams.set(name, `${url.searchParams.get(name) ?? ""}1`);
        expect([name, await put(changed, "owner")]).toEqual([name, 403]);
      }
      expect(await put(url, "anonymous")).toBe(200);
    });
  });
});

/** Every route of the server, as it is registered. */
async function routesOf(world: World): Promise<string[]> {
  const found: string[] = [];
  const watch = (message: unknown) => {
    (message as { fastify: FastifyInstance }).fastify.addHook("onRoute", ({ method, url }) => {
      for (const each of [method].flat()) found.push(`${each} ${url}`);
    });
  };
  subscribe("fastify.initialization", watch);
  try {
    const { app } = await createHttpApp(world.parley.server.context);
    await app.close();
  } finally {
    unsubscribe("fastify.initialization", watch);
  }
  return [...new Set(found)];
}

it("The matrix of who may do what has a row for every route", async () => {
  const world = await World.start("sqlite", "api-key");
  const known = [...Object.keys(routes), ...otherRoutes];
  expect((await routesOf(world)).sort()).toEqual(known.sort());
});
