import { expect, it } from "@jest/globals";
import { onEachDatabase } from "../helpers/databases.js";
import {
  addAudioTurn,
  addTextTurn,
  askByText,
  retryTurn,
  startedConversation,
  turnById,
} from "../helpers/operations.js";
import type { Turn } from "../helpers/operations.js";
import { TestParley, sendOperation } from "../helpers/parley.js";
import { spokenWav } from "../helpers/sound.js";
import { openSql } from "../helpers/sql.js";
import { RawSocket, refusedUpgrade } from "../live/raw-socket.js";
import { subscribe, transports } from "../helpers/subscriptions.js";

const limited = { code: "RATE_LIMITED", retryable: true, retryAfterMs: expect.any(Number) as unknown };

const readLimits = /* GraphQL */ `
  {
    viewer {
      limits {
        turns {
          ...Left
        }
        uploads {
          ...Left
        }
        reads {
          ...Left
        }
        maxActiveTurns
        activeTurns
      }
    }
  }
  fragment Left on RateLimit {
    limit
    remaining
    resetsAt
  }
`;

interface Left {
  limit: number;
  remaining: number;
  resetsAt: string | null;
}

interface Limits {
  turns: Left | null;
  uploads: Left | null;
  reads: Left | null;
  maxActiveTurns: number;
  activeTurns: number;
}

async function limitsOf(parley: TestParley): Promise<Limits> {
  return (await parley.ask<{ viewer: { limits: Limits } }>(readLimits)).viewer.limits;
}

onEachDatabase("the turns of a viewer in a minute", (kind) => {
  it("are limited, whichever mutation asks; what is refused stores nothing and says when to come back", async () => {
    const parley = await TestParley.start(kind, { env: { RATE_TURNS_PER_MINUTE: "3" } });
    const conversationId = await startedConversation(parley);
    const { id: turnId } = await askByText(parley, conversationId, "Hello.");
    // Refused for another reason: it counts all the same.
    await parley.send(retryTurn, { input: { turnId } });
    const audio = { base64: Buffer.from(spokenWav(100)).toString("base64") };
    await parley.send(addAudioTurn, { input: { conversationId, audio } });
    for (const [query, input] of [
      [addTextTurn, { conversationId, text: "Hello." }],
      [addAudioTurn, { conversationId, audio }],
      [retryTurn, { turnId }],
    ] as const) {
      const { status, data, errors } = await parley.send<null>(query, { input });
      expect([status, data]).toEqual([200, null]);
      expect(errors).toMatchObject([{ extensions: limited, path: [expect.any(String)] }]);
      expect(errors[0]?.message).toMatch(
        /^At most 3 turns of a viewer are taken in a minute\. Come back in \d+ s\.$/,
      );
      expect(errors[0]?.extensions.retryAfterMs).toBeLessThanOrEqual(60_000);
    }
    expect(await parley.server.context.database.client.turn.count()).toBe(2);
    expect(await turnById(parley, turnId)).not.toBeNull();
  });

  it("are told before they run out", async () => {
    const env = { RATE_TURNS_PER_MINUTE: "5", RATE_READS_PER_MINUTE: "100" };
    const parley = await TestParley.start(kind, { env: { ...env, MAX_ACTIVE_TURNS_PER_VIEWER: "7" } });
    const conversationId = await startedConversation(parley);
    expect((await limitsOf(parley)).turns).toEqual({ limit: 5, remaining: 5, resetsAt: null });
    const pause = parley.standIn.pauseNext("after-first-audio");
    await askByText(parley, conversationId, "Hello.", { waitMs: 0 });
    const limits = await limitsOf(parley);
    expect(limits).toMatchObject({ uploads: null, maxActiveTurns: 7, activeTurns: 1 });
    expect(limits.turns).toMatchObject({ limit: 5, remaining: 4 });
    // The conversation's start and both readings of the limits.
    expect(limits.reads).toMatchObject({ limit: 100, remaining: 97 });
    const leftMs = Date.parse(limits.turns?.resetsAt ?? "") - Date.now();
    expect(leftMs).toBeGreaterThan(0);
    expect(leftMs).toBeLessThanOrEqual(60_000);
    pause.release();
  });

  it("may be as many as one likes where nothing is set and nobody signs in", async () => {
    const parley = await TestParley.start(kind);
    expect(await limitsOf(parley)).toMatchObject({ turns: null, uploads: null, reads: null });
    expect(await parley.server.context.database.client.rateWindow.count()).toBe(0);
  });
});

onEachDatabase("the uploads of a viewer in a minute", (kind) => {
  it("are limited, while sound within an operation goes on", async () => {
    const parley = await TestParley.start(kind, { env: { RATE_UPLOADS_PER_MINUTE: "1" } });
    const send = async () => {
      const conversationId = await startedConversation(parley);
      const variables = { input: { conversationId, audio: { upload: null } } };
      const file = new Blob([new Uint8Array(spokenWav(100))]);
      return parley.upload<object | null>(addAudioTurn, variables, "variables.input.audio.upload", file);
    };
    expect((await send()).errors).toEqual([]);
    expect(await send()).toMatchObject({ data: null, errors: [{ extensions: limited }] });
    const audio = { base64: Buffer.from(spokenWav(100)).toString("base64") };
    const input = { conversationId: await startedConversation(parley), audio };
    expect((await parley.send(addAudioTurn, { input })).errors).toEqual([]);
  });
});

onEachDatabase("the reads of a viewer in a minute", (kind) => {
  it("are limited over every transport, by the operation", async () => {
    const parley = await TestParley.start(kind, { env: { RATE_READS_PER_MINUTE: "3" } });
    const conversationId = await startedConversation(parley);
    const { id, assistantMessage } = await askByText(parley, conversationId, "Hello.");
    const two = `{ a: conversation(id: "${conversationId}") { id } b: conversation(id: "${conversationId}") { id } }`;
    expect((await parley.send(two)).errors).toEqual([]);
    expect((await fetch(assistantMessage?.audio?.url ?? "")).status).toBe(200);
    const refused = await parley.send(two);
    expect(refused.errors).toMatchObject([{ extensions: limited }, { extensions: limited }]);
    const sound = await fetch(assistantMessage?.audio?.url ?? "");
    expect(sound.status).toBe(429);
    expect(Number(sound.headers.get("retry-after"))).toBeGreaterThan(0);
    expect(await sound.json()).toMatchObject({ errors: [{ extensions: limited }] });
    for (const transport of transports) {
      const events = subscribe(
        transport,
        parley.url,
        "subscription ($id: ID!) { turnEvents(turnId: $id) { __typename } }",
        { id },
      );
      const { value } = await events.next();
      expect(value).toMatchObject({ errors: [{ extensions: limited }] });
      await events.return();
    }
  });

  it("cost no write each", async () => {
    const parley = await TestParley.start(kind, { env: { RATE_READS_PER_MINUTE: "200" } });
    parley.statements.length = 0;
    for (let read = 0; read < 12; read += 1) await parley.ask("{ capabilities { provider } }");
    expect(parley.statements.filter((text) => /INSERT INTO "RateWindow"/.test(text))).toHaveLength(2);
  });
});

onEachDatabase("the requests of an address in a minute", (kind) => {
  it("are limited before they are read: 429 with Retry-After, each address by itself", async () => {
    const env = { RATE_ADDRESS_READS_PER_MINUTE: "2", TRUST_PROXY: "1" };
    const parley = await TestParley.start(kind, { env });
    const from = (address: string) =>
      parley.send<object>("{ capabilities { provider } }", {}, { "x-forwarded-for": address });
    for (let read = 0; read < 2; read += 1) expect((await from("203.0.113.1, 192.0.2.7")).status).toBe(200);
    const refused = await from("203.0.113.2, 192.0.2.7");
    expect(refused).toMatchObject({ status: 429, errors: [{ extensions: limited }] });
    expect(refused.errors[0]?.message).toMatch(/^At most 2 reads of an address/);
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
    expect((await from("192.0.2.8")).status).toBe(200);
    expect((await fetch(`${parley.url}/healthz`)).status).toBe(200);
  });

  it("are limited for turns and uploads, too", async () => {
    const env = { RATE_ADDRESS_TURNS_PER_MINUTE: "1", RATE_ADDRESS_UPLOADS_PER_MINUTE: "1" };
    const parley = await TestParley.start(kind, { env });
    const conversationId = await startedConversation(parley);
    const variables = { input: { conversationId, audio: { upload: null } } };
    const file = new Blob([new Uint8Array(spokenWav(100))]);
    const upload = () => parley.upload<object>(addAudioTurn, variables, "variables.input.audio.upload", file);
    expect((await upload()).errors).toEqual([]);
    expect(await upload()).toMatchObject({ status: 429, errors: [{ extensions: limited }] });
    const { errors } = await parley.send(addTextTurn, { input: { conversationId, text: "Hello." } });
    expect(errors).toMatchObject([{ extensions: limited }]);
    expect(errors[0]?.message).toMatch(/^At most 1 turns of an address/);
  });
});

onEachDatabase("what comes over a WebSocket", (kind) => {
  const socketUrl = (parley: TestParley) => `${parley.url.replace("http", "ws")}/graphql`;

  it.each(["{ __typename }", "{ nothing }", "{", "{ __schema { types { name } } }"])(
    "counts as a read before it is looked at: %s",
    async (query) => {
      const parley = await TestParley.start(kind, { env: { RATE_READS_PER_MINUTE: "3" } });
      const socket = await RawSocket.initialised(socketUrl(parley));
      for (let id = 1; id <= 3; id += 1) {
        socket.subscribe(String(id), query);
        expect(JSON.stringify(await socket.next())).not.toContain("RATE_LIMITED");
        if (query.includes("__")) expect(await socket.next()).toMatchObject({ type: "complete" });
      }
      socket.subscribe("4", query);
      expect(await socket.next()).toMatchObject({ type: "error", payload: [{ extensions: limited }] });
    },
  );

  it("counts for its address as well, and so does the opening of it", async () => {
    const parley = await TestParley.start(kind, { env: { RATE_ADDRESS_READS_PER_MINUTE: "3" } });
    const socket = await RawSocket.initialised(socketUrl(parley));
    await RawSocket.initialised(socketUrl(parley));
    socket.subscribe("1", "{");
    expect(JSON.stringify(await socket.next())).not.toContain("RATE_LIMITED");
    socket.subscribe("2", "{");
    expect(await socket.next()).toMatchObject({ type: "error", payload: [{ extensions: limited }] });
    expect(await refusedUpgrade(socketUrl(parley))).toMatchObject({
      status: 429,
      body: { errors: [{ extensions: limited }] },
    });
  });
});

onEachDatabase("who tries keys until one is good", (kind) => {
  it("is refused after some, over every transport, while others sign in", async () => {
    const env = { AUTH: "api-key", RATE_ADDRESS_FAILED_SIGN_INS_PER_MINUTE: "3", TRUST_PROXY: "1" };
    const parley = await TestParley.start(kind, { env });
    const guess = async (address: string, credential: string | null = "guess") => {
      const headers = credential === null ? {} : { authorization: `Bearer ${credential}` };
      const sent = { "x-forwarded-for": address, ...headers };
      const { errors } = await parley.send("{ viewer { id } }", {}, sent);
      return errors[0]?.extensions.code;
    };
    for (let tried = 0; tried < 5; tried += 1) expect(await guess("192.0.2.7", null)).toBe("UNAUTHENTICATED");
    for (let tried = 0; tried < 3; tried += 1) expect(await guess("192.0.2.7")).toBe("UNAUTHENTICATED");
    expect(await guess("192.0.2.7")).toBe("RATE_LIMITED");
    expect(await guess("192.0.2.8")).toBe("UNAUTHENTICATED");
    expect(parley.log.filter((line) => line.includes("is barred"))).toEqual([
      expect.stringContaining('"address":"192.0.2.7"'),
    ]);
    const headers = { "x-forwarded-for": "192.0.2.7", authorization: "Bearer guess" };
    const sound = await fetch(`${parley.url}/audio/clip_01K00000000000000000000000`, { headers });
    expect(sound.status).toBe(429);
  });
});

onEachDatabase("counts whose minute is over", (kind) => {
  it("are removed at the next start, and count no more", async () => {
    const parley = await TestParley.start(kind, { env: { RATE_TURNS_PER_MINUTE: "1" } });
    const conversationId = await startedConversation(parley);
    await askByText(parley, conversationId, "Hello.");
    const sql = await openSql(parley.databaseUrl);
    await sql(`INSERT INTO "RateWindow" ("key", "used", "endsAtMs") VALUES ('viewer gone turns', 1, 1)`);
    await sql(`UPDATE "RateWindow" SET "endsAtMs" = 1`);
    await parley.restart();
    expect((await limitsOf(parley)).turns).toEqual({ limit: 1, remaining: 1, resetsAt: null });
    await askByText(parley, conversationId, "Hello again.");
    await parley.server.close();
    expect(await sql(`SELECT "key" FROM "RateWindow" WHERE "key" LIKE '%gone%'`)).toEqual([]);
  });
});

it("limits are kept by two servers together", async () => {
  const parley = await TestParley.start("postgresql", { env: { RATE_TURNS_PER_MINUTE: "5" } });
  const other = await parley.startAnother();
  const urls = [parley.url, other.url];
  const conversations = await Promise.all(Array.from({ length: 12 }, () => startedConversation(parley)));
  const answers = await Promise.all(
    conversations.map((conversationId, index) => {
      const input = { conversationId, text: "Hello.", waitMs: 0 };
      return sendOperation<{ addTextTurn: { turn: Turn } } | null>(urls[index % 2] ?? "", addTextTurn, {
        input,
      });
    }),
  );
  expect(answers.filter(({ errors }) => errors.length === 0)).toHaveLength(5);
  expect((await limitsOf(parley)).turns).toMatchObject({ limit: 5, remaining: 0 });
});
