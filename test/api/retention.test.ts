import { expect, it } from "@jest/globals";
import { readReceipts } from "../../src/services/keeping/receipt.js";
import { onEachDatabase } from "../helpers/databases.js";
import { lastMessages } from "../helpers/exchanges.js";
import { askByAudio, askByText, retryTurn, startedConversation } from "../helpers/operations.js";
import type { Turn } from "../helpers/operations.js";
import { TestParley } from "../helpers/parley.js";
import { keptSoundFiles, spokenWav } from "../helpers/sound.js";
import { openSql } from "../helpers/sql.js";
import { storeConversations, storeTurns } from "../helpers/stored-conversations.js";
import { subscribe } from "../helpers/subscriptions.js";

const dayMs = 24 * 60 * 60 * 1000;

/** As housekeeping does, so many days later. */
function sweep(parley: TestParley, days: number): Promise<number> {
  const later = new Date(Date.now() + days * dayMs);
  return parley.server.context.retention.sweep(later, new AbortController().signal);
}

const read = /* GraphQL */ `
  query ($id: ID!, $first: Int, $last: Int, $after: String) {
    conversation(id: $id) {
      retention {
        audioDays
        textDays
      }
      turns(first: $first, last: $last, after: $after) {
        totalCount
        pageInfo {
          hasNextPage
          hasPreviousPage
          startCursor
          endCursor
        }
        nodes {
          position
          userMessage {
            content
            audioRemovedAt
            audio {
              url
            }
          }
          assistantMessage {
            content
            audioRemovedAt
            audio {
              url
            }
          }
        }
      }
    }
  }
`;

interface ReadMessage {
  content: string | null;
  audioRemovedAt: string | null;
  audio: { url: string } | null;
}

interface ReadConversation {
  retention: { audioDays: number | null; textDays: number | null };
  turns: {
    totalCount: number;
    pageInfo: {
      hasNextPage: boolean;
      hasPreviousPage: boolean;
      startCursor: string | null;
      endCursor: string | null;
    };
    nodes: { position: number; userMessage: ReadMessage; assistantMessage: ReadMessage | null }[];
  };
}

async function conversation(parley: TestParley, id: string, page = {}): Promise<ReadConversation | null> {
  return (await parley.ask<{ conversation: ReadConversation | null }>(read, { id, ...page })).conversation;
}

const positions = (found: ReadConversation | null) => found?.turns.nodes.map(({ position }) => position);

/** The turns ended so many days ago, each one. */
async function age(parley: TestParley, turns: Turn[], days: number): Promise<void> {
  const { client } = parley.server.context.database;
  const at = new Date(Date.now() - days * dayMs);
  const turnId = { in: turns.map(({ id }) => id) };
  await client.turn.updateMany({ where: { id: turnId }, data: { endedAt: at } });
  await client.audioClip.updateMany({ where: { message: { turnId } }, data: { createdAt: at } });
}

const removedSound = { audio: null, audioRemovedAt: expect.any(String) as unknown };

onEachDatabase("sound that is kept for some days", (kind) => {
  it("goes then, file and all, while its message stays and later requests tell of it in words", async () => {
    const parley = await TestParley.start(kind, { env: { RETENTION_AUDIO_DAYS: "30" } });
    const id = await startedConversation(parley);
    const spoken = await askByAudio(parley, id, spokenWav(2_000));
    const { url, id: clipId } = spoken.userMessage.audio ?? { url: "", id: "" };
    expect(await sweep(parley, 29)).toBe(0);
    expect((await fetch(url)).status).toBe(200);

    expect(await sweep(parley, 31)).toBe(2);
    expect(await keptSoundFiles(parley)).toEqual([]);
    expect((await fetch(url)).status).toBe(404);
    expect(await parley.ask("query ($id: ID!) { node(id: $id) { id } }", { id: clipId })).toEqual({
      node: null,
    });
    const found = await conversation(parley, id);
    expect(found?.turns.nodes).toMatchObject([
      {
        userMessage: { ...removedSound, content: null },
        assistantMessage: { ...removedSound, content: spoken.assistantMessage?.content },
      },
    ]);
    const sql = await openSql(parley.databaseUrl);
    expect(await sql('SELECT "providerAudioId" FROM "AudioClip"')).toEqual([
      { providerAudioId: null },
      { providerAudioId: null },
    ]);

    await askByText(parley, id, "Say 'two'.");
    expect(lastMessages(parley.standIn)).toEqual([
      "user: [spoken message, 0:02]",
      `assistant: ${spoken.assistantMessage?.content ?? ""}`,
      "user: Say 'two'.",
    ]);
    // Once is enough.
    expect(await sweep(parley, 29)).toBe(0);
  });

  it("is told to who listens to the conversation", async () => {
    const parley = await TestParley.start(kind, { env: { RETENTION_AUDIO_DAYS: "30" } });
    const id = await startedConversation(parley);
    await askByText(parley, id, "Say 'one'.");
    const document = `subscription ($id: ID!) { conversationEvents(conversationId: $id) { __typename } }`;
    const event = subscribe<object>("websocket", parley.url, document, { id }).next();
    while (!parley.statements.some((sql) => sql.startsWith("SELECT") && sql.includes("EventCounter")))
      await new Promise((resolve) => setImmediate(resolve));
    await sweep(parley, 31);
    expect(await event).toMatchObject({
      value: { data: { conversationEvents: { __typename: "ConversationChanged" } } },
    });
  });

  it("can't be asked again by a retry", async () => {
    const parley = await TestParley.start(kind, { env: { RETENTION_AUDIO_DAYS: "30" } });
    const id = await startedConversation(parley);
    parley.standIn.failNext({ name: "rejected" });
    const failed = await askByAudio(parley, id, spokenWav());
    expect(failed.status).toBe("FAILED");
    await sweep(parley, 31);
    const { errors } = await parley.send(retryTurn, { input: { turnId: failed.id } });
    expect(errors).toMatchObject([{ extensions: { code: "TURN_NOT_RETRYABLE" } }]);
    expect(await askByText(parley, id, "Say 'one'.")).toMatchObject({ status: "COMPLETED" });
  });
});

onEachDatabase("turns that are kept for some days", (kind) => {
  it("go from the oldest on, with their sound; positions, pages and the next turns stay right", async () => {
    const parley = await TestParley.start(kind, { env: { RETENTION_TEXT_DAYS: "30" } });
    const id = await startedConversation(parley);
    const turns: Turn[] = [];
    for (const word of ["one", "two", "three", "four", "five"])
      turns.push(await askByText(parley, id, `Say '${word}'.`, { idempotencyKey: word }));
    const before = await conversation(parley, id, { first: 1 });
    await age(parley, turns.slice(0, 3), 31);
    expect(await sweep(parley, 0)).toBe(3);

    expect(await keptSoundFiles(parley)).toHaveLength(2);
    const all = await conversation(parley, id);
    expect([positions(all), all?.turns.totalCount]).toEqual([[4, 5], 2]);
    expect(positions(await conversation(parley, id, { first: 1 }))).toEqual([4]);
    expect(positions(await conversation(parley, id, { last: 1 }))).toEqual([5]);
    expect(positions(await conversation(parley, id, { last: 10 }))).toEqual([4, 5]);
    const after = before?.turns.pageInfo.endCursor;
    expect(positions(await conversation(parley, id, { first: 1, after }))).toEqual([4]);
    const sql = await openSql(parley.databaseUrl);
    expect(await sql('SELECT "key" FROM "IdempotencyKey" ORDER BY "key"')).toEqual([
      { key: "five" },
      { key: "four" },
    ]);
    const next = await askByText(parley, id, "Say 'six'.");
    expect(next).toMatchObject({ position: 6, omittedTurns: 0 });
    expect(lastMessages(parley.standIn)).toHaveLength(5);
    // Its calls stay counted.
    expect(await sql('SELECT COUNT(*) AS "n" FROM "ModelCall"')).toMatchObject([
      { n: kind === "sqlite" ? 6 : "6" },
    ]);
  });

  it("are not counted among those that a request leaves out", async () => {
    const env = { RETENTION_TEXT_DAYS: "30", HISTORY_MAX_TOKENS: "100" };
    const parley = await TestParley.start(kind, { env });
    const id = await startedConversation(parley);
    const { client } = parley.server.context.database;
    await storeTurns(parley, id, 150);
    const reply = { modalities: ["TEXT"] };
    const first = await askByText(parley, id, "Say 'one'.", { reply });
    expect(first.omittedTurns).toBeGreaterThan(100);
    await client.turn.updateMany({ where: { position: { gt: 40 } }, data: { endedAt: new Date() } });
    await sweep(parley, 0);
    const second = await askByText(parley, id, "Say 'two'.", { reply });
    const third = await askByText(parley, id, "Say 'three'.", { reply });
    const kept = Math.floor((lastMessages(parley.standIn).length - 1) / 2);
    expect([second.position, third.position, third.omittedTurns + kept]).toEqual([152, 153, 112]);
  });

  it("go with the whole conversation where nothing has happened in it since, and leave a receipt", async () => {
    const parley = await TestParley.start(kind, { env: { RETENTION_TEXT_DAYS: "30" } });
    const id = await startedConversation(parley);
    await askByText(parley, id, "Say 'one'.");
    const empty = await startedConversation(parley);
    const [long = ""] = await storeConversations(parley, [{ at: new Date("2026-01-02") }]);
    await storeTurns(parley, long, 450);
    expect(await sweep(parley, 29)).toBe(450);
    expect(await conversation(parley, long)).toBeNull();
    await sweep(parley, 31);
    expect(await conversation(parley, id)).toBeNull();
    expect(await conversation(parley, empty)).toBeNull();
    expect(await keptSoundFiles(parley)).toEqual([]);
    const receipts = await readReceipts(parley.server.context.database.client, { take: 10 });
    expect(receipts.map(({ kind: what, completedAt }) => [what, completedAt !== null])).toEqual(
      Array(3).fill(["RETENTION", true]),
    );
  });

  it("stay while a turn of their conversation runs", async () => {
    const parley = await TestParley.start(kind, {
      env: { RETENTION_TEXT_DAYS: "1", RETENTION_AUDIO_DAYS: "1" },
    });
    const id = await startedConversation(parley);
    await askByText(parley, id, "Say 'one'.");
    const pause = parley.standIn.pauseNext("after-first-audio");
    const asked = askByText(parley, id, "Say 'two'.", { waitMs: 60_000 });
    await pause.reached;
    expect(await sweep(parley, 400)).toBe(0);
    pause.release();
    expect(await asked).toMatchObject({ status: "COMPLETED", position: 2 });
    expect(positions(await conversation(parley, id))).toEqual([1, 2]);
  });
});

const change = /* GraphQL */ `
  mutation ($input: UpdateConversationInput!) {
    updateConversation(input: $input) {
      conversation {
        retention {
          audioDays
          textDays
        }
      }
    }
  }
`;

onEachDatabase("a conversation's own days", (kind) => {
  it("can be shorter than the server's, and never longer", async () => {
    const parley = await TestParley.start(kind, { env: { RETENTION_AUDIO_DAYS: "30" } });
    const id = await startedConversation(parley, { retention: { audioDays: 7, textDays: 365 } });
    const inForce = async () => (await conversation(parley, id))?.retention;
    expect(await inForce()).toEqual({ audioDays: 7, textDays: 365 });
    const update = (retention: object | null) =>
      parley.send(change, { input: { conversationId: id, retention } });
    await update({ audioDays: 31 });
    expect(await inForce()).toEqual({ audioDays: 30, textDays: null });
    await update({ textDays: 2 });
    await parley.ask(change, { input: { conversationId: id, title: "Dogs" } });
    expect(await inForce()).toEqual({ audioDays: 30, textDays: 2 });
    await update(null);
    expect(await inForce()).toEqual({ audioDays: 30, textDays: null });
    for (const days of [0, -1, 36_501]) {
      const { errors } = await update({ audioDays: days });
      expect(errors).toMatchObject([{ extensions: { code: "BAD_USER_INPUT" } }]);
    }
  });

  it("end its sound and its turns, and those of no other conversation", async () => {
    const parley = await TestParley.start(kind);
    const [kept, silent, short] = [
      await startedConversation(parley),
      await startedConversation(parley, { retention: { audioDays: 2 } }),
      await startedConversation(parley, { retention: { textDays: 2 } }),
    ];
    const turns: Turn[] = [];
    for (const id of [kept, silent, short])
      for (const word of ["one", "two"]) turns.push(await askByText(parley, id, `Say '${word}'.`));
    expect(await sweep(parley, 1)).toBe(0);
    await age(parley, turns.slice(4, 5), 3);
    expect(await sweep(parley, 0)).toBe(1);
    expect(positions(await conversation(parley, short))).toEqual([2]);

    expect(await sweep(parley, 3)).toBe(3);
    expect(await conversation(parley, short)).toBeNull();
    const sounds = async (id: string) =>
      (await conversation(parley, id))?.turns.nodes.map(
        ({ assistantMessage }) => assistantMessage?.audio !== null,
      );
    expect([await sounds(kept), await sounds(silent)]).toEqual([
      [true, true],
      [false, false],
    ]);
    expect((await keptSoundFiles(parley)).every((path) => path.includes(kept))).toBe(true);
  });
});
