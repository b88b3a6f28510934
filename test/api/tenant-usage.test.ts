import { expect, it } from "@jest/globals";
import { viewerId } from "../../src/auth/viewer.js";
import { onEachDatabase } from "../helpers/databases.js";
import { TestParley } from "../helpers/parley.js";
import { keyOf } from "../helpers/people.js";

const start = "mutation { startConversation { conversation { id } } }";
const addTurn = /* GraphQL */ `
  mutation ($conversationId: ID!) {
    addTextTurn(input: { conversationId: $conversationId, text: "Say 'hello'" }) {
      turn {
        status
        usage {
          inputTextTokens
        }
      }
    }
  }
`;
const readUsage = /* GraphQL */ `
  query ($month: String, $first: Int! = 20, $after: ID) {
    tenantUsage(month: $month) {
      tenantId
      month
      usage {
        inputTextTokens
      }
      viewers(first: $first, after: $after) {
        viewerId
        usage {
          inputTextTokens
        }
      }
    }
  }
`;

interface Read {
  tenantUsage: {
    usage: { inputTextTokens: number };
    viewers: { viewerId: string; usage: { inputTextTokens: number } }[];
  };
}

onEachDatabase("an operator", (kind) => {
  async function used() {
    const parley = await TestParley.start(kind, { env: { AUTH: "api-key" } });
    const people: [string, string][] = [
      ["ada", "acme"],
      ["bert", "acme"],
      ["carl", "globex"],
    ];
    for (const [owner, tenantId] of people) {
      const { headers } = await keyOf(parley, owner, { tenantId });
      const started = await parley.send<{ startConversation: { conversation: { id: string } } }>(
        start,
        {},
        headers,
      );
      const conversationId = started.data.startConversation.conversation.id;
      expect((await parley.send(addTurn, { conversationId }, headers)).errors).toEqual([]);
    }
    const operator = await keyOf(parley, "ops", { scopes: ["usage:read"] });
    const read = async (variables: object) => {
      const { data, errors } = await parley.send<Read>(readUsage, variables, operator.headers);
      return { ...data.tenantUsage, errors };
    };
    return { parley, read };
  }

  it("sees what each person of the tenant has used, and nothing of another tenant", async () => {
    const { read } = await used();
    const all = await read({});
    const ids = [viewerId("acme", "ada"), viewerId("acme", "bert")].sort();
    expect(all.viewers.map((each) => each.viewerId)).toEqual(ids);
    const sum = all.viewers.reduce((tokens, { usage }) => tokens + usage.inputTextTokens, 0);
    expect(all.usage.inputTextTokens).toBe(sum);
    expect(sum).toBeGreaterThan(0);
    const first = await read({ first: 1 });
    expect(first.viewers).toEqual(all.viewers.slice(0, 1));
    expect((await read({ first: 1, after: ids[0] })).viewers).toEqual(all.viewers.slice(1));
  });

  it("sees a month, and nothing in one without calls", async () => {
    const { read } = await used();
    const month = new Date().toISOString().slice(0, 7);
    expect((await read({ month })).viewers).toHaveLength(2);
    expect(await read({ month: "2020-02" })).toMatchObject({
      usage: { inputTextTokens: 0 },
      viewers: [],
      month: "2020-02",
    });
  });

  it.each([[{ month: "2026-13" }], [{ first: 0 }], [{ first: 101 }], [{ after: "' OR 1=1" }]])(
    "is told what is wrong with %j",
    async (variables) => {
      const parley = await TestParley.start(kind, { env: { AUTH: "api-key" } });
      const { headers } = await keyOf(parley, "ops", { scopes: ["usage:read"] });
      expect(await parley.send(readUsage, variables, headers)).toMatchObject({
        errors: [{ extensions: { code: "BAD_USER_INPUT" } }],
      });
    },
  );
});
