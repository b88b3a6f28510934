import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { expect, it } from "@jest/globals";
import { onEachDatabase } from "../helpers/databases.js";
import { TestParley, sendOperation } from "../helpers/parley.js";
import { keyOf, reasonsIn, revokeKey } from "../helpers/people.js";
import { spokenWav } from "../helpers/sound.js";

const readViewer = "{ viewer { id } }";
const start = "mutation { startConversation { conversation { id } } }";
const list = "{ conversations { nodes { id } } }";

/** A multipart request whose file comes in two pieces; `between` runs when the first is on its way. */
function slowUpload(conversationId: string, between: () => Promise<void>): ReadableStream<Uint8Array> {
  const query = "mutation ($input: AddAudioTurnInput!) { addAudioTurn(input: $input) { turn { id } } }";
  const variables = { input: { conversationId, audio: { upload: null } } };
  const part = (name: string, text: string) =>
    `--b\r\ncontent-disposition: form-data; name="${name}"\r\n\r\n${text}\r\n`;
  const head = [
    part("operations", JSON.stringify({ query, variables })),
    part("map", JSON.stringify({ 0: ["variables.input.audio.upload"] })),
    '--b\r\ncontent-disposition: form-data; name="0"; filename="a.wav"\r\n\r\n',
  ];
  const wav = spokenWav();
  const half = Math.floor(wav.byteLength / 2);
  return ReadableStream.from(
    (async function* () {
      yield Buffer.concat([Buffer.from(head.join("")), wav.subarray(0, half)]);
      await between();
      yield Buffer.concat([wav.subarray(half), Buffer.from("\r\n--b--\r\n")]);
    })(),
  );
}

function startParley(kind: "sqlite" | "postgresql"): Promise<TestParley> {
  return TestParley.start(kind, { env: { AUTH: "api-key" } });
}

onEachDatabase("signing in by key", (kind) => {
  it("lets in who has one: keys of one person share their conversations, those of others see none of them", async () => {
    const parley = await startParley(kind);
    const [one, other, bert, namesake] = await Promise.all([
      keyOf(parley, "ada"),
      keyOf(parley, "ada"),
      keyOf(parley, "bert"),
      keyOf(parley, "ada", { tenantId: "globex" }),
    ]);
    const started = await parley.send<{ startConversation: { conversation: { id: string } } }>(
      start,
      {},
      one.headers,
    );
    const { conversation } = started.data.startConversation;
    const seen = async ({ headers }: typeof one) =>
      (await parley.send<{ conversations: { nodes: unknown[] } }>(list, {}, headers)).data.conversations
        .nodes;
    expect(await Promise.all([one, other, bert, namesake].map(seen))).toEqual([
      [conversation],
      [conversation],
      [],
      [],
    ]);
  });

  it.each([
    ["nothing", {}],
    ["another scheme", { authorization: "Basic YWRhOnNlY3JldA==" }],
    ["no key at all", { authorization: "Bearer x" }],
    ["an unknown key", { authorization: `Bearer parley_${"0".repeat(26)}_${"x".repeat(43)}` }],
  ])("refuses who shows %s", async (_what, headers: Record<string, string>) => {
    const parley = await startParley(kind);
    expect(await parley.send(readViewer, {}, headers)).toMatchObject({
      status: 401,
      errors: [{ extensions: { code: "UNAUTHENTICATED", retryable: false } }],
    });
  });

  it.each(["api-key", "none"])(
    "asks a program that would take a page, too, for what it asks others: AUTH=%s",
    async (AUTH) => {
      const parley = await TestParley.start(kind, { env: { AUTH } });
      const { headers } = await keyOf(parley, "ada");
      const get = (more: Record<string, string>) =>
        fetch(`${parley.url}/graphql?query=${encodeURIComponent(readViewer)}`, {
          headers: { accept: "application/json, text/html;q=0.1", "apollo-require-preflight": "1", ...more },
        });
      const unknown = await get({});
      if (AUTH === "none") expect(unknown.status).toBe(200);
      else {
        expect([unknown.status, unknown.headers.get("www-authenticate")]).toEqual([
          401,
          'Bearer realm="Parley"',
        ]);
        expect(await unknown.json()).toMatchObject({
          errors: [{ extensions: { code: "UNAUTHENTICATED", retryable: false } }],
        });
      }
      expect((await get(headers)).status).toBe(200);
    },
  );

  it("refuses the id of a key with another secret", async () => {
    const parley = await startParley(kind);
    const { headers } = await keyOf(parley, "ada");
    const changed = headers.authorization.replace(/.$/, (last) => (last === "A" ? "B" : "A"));
    expect((await parley.send(readViewer, {}, { authorization: changed })).status).toBe(401);
    expect((await parley.send(readViewer, {}, headers)).status).toBe(200);
  });

  it("refuses a key from the moment when it is revoked or over", async () => {
    const parley = await startParley(kind);
    const key = await keyOf(parley, "ada");
    expect((await parley.send(readViewer, {}, key.headers)).status).toBe(200);
    await revokeKey(parley, key.id);
    expect((await parley.send(readViewer, {}, key.headers)).status).toBe(401);
    const over = await keyOf(parley, "ada", { expiresAt: new Date(Date.now() - 1) });
    expect((await parley.send(readViewer, {}, over.headers)).status).toBe(401);
  });

  it("takes no sound that was under way when its key was revoked", async () => {
    const parley = await startParley(kind);
    const key = await keyOf(parley, "ada");
    const { data } = await parley.send<{ startConversation: { conversation: { id: string } } }>(
      start,
      {},
      key.headers,
    );
    const conversationId = data.startConversation.conversation.id;
    const { client } = parley.server.context.database;
    const drafts = () => readdir(join(parley.dataDir, "audio", "drafts")).catch(() => []);
    const sending = fetch(`${parley.url}/graphql`, {
      method: "POST",
      headers: {
        ...key.headers,
        "content-type": `multipart/form-data; boundary=b`,
        "apollo-require-preflight": "1",
      },
      body: slowUpload(conversationId, async () => {
        // Its sound is coming in.
        while ((await drafts()).length === 0) await delay(5);
        await revokeKey(parley, key.id);
      }),
      duplex: "half",
    });
    const answer = (await (await sending).json()) as { errors?: unknown };
    expect(answer.errors).toMatchObject([{ extensions: { code: "UNAUTHENTICATED" } }]);
    expect(await client.turn.count()).toBe(0);
    expect(await drafts()).toEqual([]);
  });

  it("tells the log alone why it refuses", async () => {
    const parley = await startParley(kind);
    const [good, over, revoked] = await Promise.all([
      keyOf(parley, "ada"),
      keyOf(parley, "ada", { expiresAt: new Date(0) }),
      keyOf(parley, "ada"),
    ]);
    await revokeKey(parley, revoked.id);
    const forged = good.headers.authorization.replace(/.{5}$/, "wrong");
    const unknown = `Bearer parley_${"0".repeat(26)}_${"x".repeat(43)}`;
    const shown = [over.headers.authorization, revoked.headers.authorization, forged, unknown, "Bearer x"];
    const messages = new Set<string>();
    for (const authorization of [...shown, ...shown]) {
      const { errors } = await parley.send(readViewer, {}, { authorization });
      messages.add(errors[0]?.message ?? "");
    }
    expect(messages.size).toBe(1);
    // Each once: what comes again and again does not fill the log.
    expect(reasonsIn(parley)).toEqual([
      "the key has ended",
      "the key was revoked",
      "the key is not the one that was made",
      "there is no such key",
      "it is no key of Parley's",
    ]);
  });

  it("keeps the time of a key's last use, and never the key", async () => {
    const parley = await startParley(kind);
    const key = await keyOf(parley, "ada");
    const { client } = parley.server.context.database;
    const before = await client.apiKey.findUniqueOrThrow({ where: { id: key.id } });
    expect(before.lastUsedAt).toBeNull();
    await parley.send(readViewer, {}, key.headers);
    const after = await client.apiKey.findUniqueOrThrow({ where: { id: key.id } });
    expect(after.lastUsedAt?.getTime()).toBeGreaterThanOrEqual(before.createdAt.getTime());
    const secret = key.headers.authorization.split("_").at(-1) ?? "";
    expect(JSON.stringify(after)).not.toContain(secret);
    expect(parley.log.join("")).not.toContain(secret);
  });

  it("allows no more than the key's scopes", async () => {
    const parley = await startParley(kind);
    const reader = await keyOf(parley, "ada", { scopes: ["conversations:read"] });
    expect((await parley.send(list, {}, reader.headers)).errors).toEqual([]);
    expect(await parley.send(start, {}, reader.headers)).toMatchObject({
      status: 200,
      errors: [
        { message: expect.stringContaining("conversations:write"), extensions: { code: "FORBIDDEN" } },
      ],
    });
  });

  it("may listen beyond this machine, where a server without sign-in may not", async () => {
    const parley = await TestParley.start(kind, { env: { AUTH: "api-key", HOST: "0.0.0.0" } });
    const { headers } = await keyOf(parley, "ada");
    const url = parley.url.replace("0.0.0.0", "127.0.0.1");
    expect((await sendOperation(url, readViewer, {}, headers)).status).toBe(200);
  });
});
