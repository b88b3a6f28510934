import { readFile } from "node:fs/promises";
import { describe, expect, it } from "@jest/globals";
import { Kind, OperationTypeNode, parse } from "graphql";
import { createSchema } from "../../src/http/graphql.js";
import { maxQueryCost, queryCost } from "../../src/http/limits/query-cost.js";
import { TestParley } from "../helpers/parley.js";
import { keyOf } from "../helpers/people.js";
import { subscribe } from "../helpers/subscriptions.js";
import { RawSocket } from "./raw-socket.js";

/** Costs some 10,000: two may be open. */
const dear = `subscription {
  viewerEvents {
    ... on ConversationChanged {
      conversation { turns(first: 100) { nodes { conversation { turns(first: 97) { totalCount } } } } }
    }
  }
}`;
const limited = { code: "RATE_LIMITED", retryable: true, retryAfterMs: 5_000 };

async function withSocket() {
  const parley = await TestParley.start("sqlite", { env: { AUTH: "api-key" } });
  const { headers } = await keyOf(parley, "ada");
  const socket = await RawSocket.initialised(`${parley.url.replace("http", "ws")}/graphql`, { headers });
  let asked = 0;
  /** What the server says to the subscription; null where it is open and silent. */
  const open = async () => {
    const [id, after] = [`subscription ${(asked += 1)}`, `query ${asked}`];
    socket.subscribe(id, dear);
    socket.subscribe(after, "{ viewer { id } }");
    const said = [await socket.next(), await socket.next()];
    const refusal = said.find((message) => message["id"] === id) ?? null;
    if (refusal !== null) await socket.next();
    return { id, refusal };
  };
  return { parley, headers, socket, open };
}

describe("the open subscriptions of a viewer", () => {
  it("may cost together what one query may, until one ends", async () => {
    const { parley, headers, socket, open } = await withSocket();
    const [first, second, third] = [await open(), await open(), await open()];
    expect([first.refusal, second.refusal]).toEqual([null, null]);
    expect(third.refusal).toMatchObject({ type: "error", payload: [{ extensions: limited }] });
    const streamed = subscribe("multipart", parley.url, dear, {}, headers);
    expect((await streamed.next()).value).toMatchObject({ errors: [{ extensions: limited }] });
    socket.send({ type: "complete", id: first.id });
    while ((await open()).refusal !== null);
    socket.socket.terminate();
  });

  it("of Parley's page take a hundredth of that", async () => {
    const document = parse(await readFile("web/app/client/operations.graphql", "utf8"));
    const schema = createSchema();
    const costs = document.definitions.flatMap((definition) => {
      if (definition.kind !== Kind.OPERATION_DEFINITION) return [];
      if (definition.operation !== OperationTypeNode.SUBSCRIPTION) return [];
      const variables = { turnId: "t", conversationId: "c", withSound: true };
      return queryCost({ schema, document, variables, operationName: definition.name?.value });
    });
    expect(costs).toHaveLength(3);
    expect(costs.reduce((sum, cost) => sum + cost, 0)).toBeLessThanOrEqual(maxQueryCost / 100);
  });
});
