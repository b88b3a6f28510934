import { readFileSync } from "node:fs";
import { describe, expect, it } from "@jest/globals";
import { buildSchema } from "graphql";
import { onEachDatabase } from "../../helpers/databases.js";
import { subscribe, transports } from "../../helpers/subscriptions.js";
import type { EventResult, Transport } from "../../helpers/subscriptions.js";
import { lacking } from "./answers.js";
import { subscriptions } from "./doors.js";
import { World, nothing } from "./world.js";
import type { Things, Who } from "./world.js";

const schema = buildSchema(readFileSync(new URL("../../../schema.graphql", import.meta.url), "utf8"));

it("The matrix of who may do what has a row for every subscription", () => {
  expect(Object.keys(subscriptions).sort()).toEqual(
    Object.keys(schema.getSubscriptionType()?.getFields() ?? {}).sort(),
  );
});

/** The first thing that comes; a socket that was closed comes as its code. */
async function first(
  world: World,
  who: Who,
  transport: Transport,
  name: string,
  things: Things,
): Promise<string> {
  const door = subscriptions[name];
  if (door === undefined) throw new Error(`no row for ${name}`);
  const credentials = world.credentials[who];
  const results = subscribe<object>(
    transport,
    world.parley.url,
    door.query,
    door.variables(things),
    credentials,
  );
  try {
    const { value } = await results.next();
    return describeResult(value as EventResult<object> | undefined);
  } catch (error) {
    return `closed with ${String((error as { code?: unknown }).code)}`;
  } finally {
    await results.return();
  }
}

function describeResult(result: EventResult<object> | undefined): string {
  if (result?.errors !== undefined) return result.errors.map(({ extensions }) => extensions.code).join();
  return JSON.stringify(result?.data);
}

const notSignedIn = { websocket: "closed with 4403", multipart: "UNAUTHENTICATED" } as const;

describe.each(["api-key", "jwt"] as const)("with AUTH=%s", (auth) => {
  onEachDatabase("each subscription", (kind) => {
    it.each(transports)("is open to the owner, and to nobody else, over %s", async (transport) => {
      const world = await World.start(kind, auth);
      const things = await world.things();
      // That of all conversations tells what comes, and is tried with that below.
      const ofOne = Object.entries(subscriptions).filter(([name]) => name !== "viewerEvents");
      for (const [name, door] of ofOne) {
        const heard = async (who: Who) => first(world, who, transport, name, things);
        expect({ name, lacks: lacking(await heard("owner"), door.holds(things)) }).toEqual({
          name,
          lacks: [],
        });
        for (const who of ["other", "otherTenant"] as const) {
          expect(await heard(who)).toBe("NOT_FOUND");
          expect(await first(world, who, transport, name, nothing)).toBe("NOT_FOUND");
        }
      }
      for (const name of Object.keys(subscriptions)) {
        expect(await first(world, "operator", transport, name, things)).toBe("FORBIDDEN");
        for (const who of ["anonymous", "gone"] as const)
          expect(await first(world, who, transport, name, things)).toBe(notSignedIn[transport]);
      }
    });

    it.each(transports)("of all conversations tells each their own alone, over %s", async (transport) => {
      const world = await World.start(kind, auth);
      const { conversationId } = await world.things();
      const firstOfAll = async (who: Who, cause: () => Promise<unknown>) => {
        const heard: string[] = [];
        const listening = first(world, who, transport, "viewerEvents", nothing).then((event) =>
          heard.push(event),
        );
        // Until the subscription stands nothing is heard.
        while (heard.length === 0) await cause();
        await listening;
        return heard;
      };
      const change = () => world.send("owner", rename, { id: conversationId });
      for (const who of ["other", "otherTenant"] as const) {
        const heard = await firstOfAll(who, async () => {
          await change();
          await world.send(who, "mutation { startConversation { conversation { id } } }", {});
        });
        expect(heard).toEqual([expect.stringMatching(/"conversationId":"conv_/)]);
        expect(heard.join()).not.toContain(conversationId);
      }
      expect(await firstOfAll("owner", change)).toEqual([
        JSON.stringify({ viewerEvents: { conversationId } }),
      ]);
    });
  });
});

const rename = `mutation ($id: ID!) {
  updateConversation(input: { conversationId: $id, title: "Again" }) { conversation { id } }
}`;
