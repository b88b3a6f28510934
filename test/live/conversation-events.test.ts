import { describe, expect, it } from "@jest/globals";
import { onEachDatabase } from "../helpers/databases.js";
import { gateReadsOf } from "../helpers/gates.js";
import {
  askByText,
  cancelTurn,
  deleteConversation,
  retryTurn,
  startedConversation,
} from "../helpers/operations.js";
import type { Asked } from "../helpers/operations.js";
import { TestParley, sharedParley } from "../helpers/parley.js";
import { openSql } from "../helpers/sql.js";
import type { Sql } from "../helpers/sql.js";
import { subscribe, transports } from "../helpers/subscriptions.js";
import type { EventResult, Results, Transport } from "../helpers/subscriptions.js";

interface ConversationEvent {
  __typename: string;
  cursor: string;
  conversationId: string;
  conversation: { title: string | null } | null;
  turn?: { id: string; status: string };
}

const fields = /* GraphQL */ `
  __typename
  cursor
  conversationId
  conversation {
    title
  }
  ... on ConversationTurnChanged {
    turn {
      id
      status
    }
  }
`;
const conversationDocument = `subscription ($id: ID!, $after: String) { events: conversationEvents(conversationId: $id, after: $after) { ${fields} } }`;
const viewerDocument = `subscription ($after: String) { events: viewerEvents(after: $after) { ${fields} } }`;
const update = /* GraphQL */ `
  mutation ($id: ID!, $title: String) {
    updateConversation(input: { conversationId: $id, title: $title }) {
      conversation {
        id
      }
    }
  }
`;
const archive = /* GraphQL */ `
  mutation ($id: ID!) {
    archiveConversation(input: { conversationId: $id }) {
      conversation {
        id
      }
    }
  }
`;

type Data = { events: ConversationEvent };

/** The events until `isLast`, that one included. */
async function until(results: Results<Data>, isLast: (event: ConversationEvent) => boolean) {
  const events: ConversationEvent[] = [];
  for (;;) {
    const { value } = await results.next();
    const event = value?.data?.events;
    if (event === undefined) throw new Error(`no event came: ${JSON.stringify(value)}`);
    events.push(event);
    if (isLast(event)) return events;
  }
}

const inShort = (events: ConversationEvent[]) =>
  events.map(({ __typename, turn }) => (turn === undefined ? __typename : `${__typename} ${turn.status}`));
const codesOf = (result: unknown) =>
  ((result ?? {}) as EventResult<Data>).errors?.map(({ extensions }) => extensions.code);

async function eventCursorOf(parley: Asked, id: string): Promise<string> {
  const query = "query ($id: ID!) { conversation(id: $id) { eventCursor } }";
  return (await parley.ask<{ conversation: { eventCursor: string } }>(query, { id })).conversation
    .eventCursor;
}

onEachDatabase("the events of conversations", (kind) => {
  const shared = sharedParley(kind);
  const rename = (id: string, title: string) => shared().ask(update, { id, title });

  describe.each(transports)("over %s", (transport: Transport) => {
    const ofConversation = (id: string, after: string | null = null) =>
      subscribe<Data>(transport, shared().url, conversationDocument, { id, after });
    const ofViewer = (after: string | null = null) =>
      subscribe<Data>(transport, shared().url, viewerDocument, { after });

    it("tell of a conversation what happened since it was read, then what happens, to its end", async () => {
      const parley = shared();
      const id = await startedConversation(parley, { title: "First" });
      const cursor = await eventCursorOf(parley, id);
      await rename(id, "Second");
      const turn = await askByText(parley, id, "Say 'one'.");
      const events = ofConversation(id, cursor);
      const before = await until(events, ({ turn }) => turn?.status === "COMPLETED");
      expect(before[0]).toMatchObject({ __typename: "ConversationChanged", conversationId: id });
      expect(before.slice(1).every((event) => event.turn?.id === turn.id)).toBe(true);
      await shared().ask(archive, { id });
      await until(events, ({ __typename }) => __typename === "ConversationChanged");
      await parley.ask(deleteConversation, { id });
      const rest: string[] = [];
      for await (const { data } of events) rest.push(...inShort(data == null ? [] : [data.events]));
      expect(rest).toEqual(["ConversationDeleted"]);
    });

    it("go on from any of their cursors, with none missing and none twice", async () => {
      const parley = shared();
      const id = await startedConversation(parley);
      const cursors = [await eventCursorOf(parley, id)];
      for (const title of ["a", "b", "c", "d"]) {
        await rename(id, title);
        cursors.push(await eventCursorOf(parley, id));
      }
      for (const [index, cursor] of [...cursors].entries()) {
        const events = ofConversation(id, cursor);
        await rename(id, "live");
        const later = await eventCursorOf(parley, id);
        const told = await until(events, (event) => event.cursor === later);
        await events.return();
        cursors.push(later);
        expect(told.map((event) => event.cursor)).toEqual(cursors.slice(index + 1));
      }
    });

    it("tell the viewer of every conversation: started, turns added, started, ended and retried, deleted", async () => {
      const parley = shared();
      const events = ofViewer();
      // The subscription stands once it has told of something.
      const probe = await startedConversation(parley, { title: "probe" });
      const first = (await untilStands(events, probe, () => rename(probe, "probe"))).at(-1);
      expect(first?.conversationId).toBe(probe);
      const id = await startedConversation(parley, { title: "Dogs" });
      const pause = parley.standIn.pauseNext("before-answer");
      const turn = await askByText(parley, id, "Say 'one'.", { waitMs: 0 });
      await pause.reached;
      await parley.ask(cancelTurn, { input: { turnId: turn.id } });
      pause.release();
      await parley.ask(retryTurn, { input: { turnId: turn.id } });
      await parley.ask(deleteConversation, { id });
      const told = await until(
        events,
        (event) => event.conversationId === id && event.__typename === "ConversationDeleted",
      );
      const types = told
        .filter(({ conversationId }) => conversationId === id)
        .map(({ __typename }) => __typename);
      expect(types.at(-1)).toBe("ConversationDeleted");

      // Who comes back after all of it hears of the end alone: the rest is gone with the conversation.
      const again = ofViewer(first?.cursor ?? null);
      const later = await until(
        again,
        (event) => event.conversationId === id && event.__typename === "ConversationDeleted",
      );
      expect(inShort(later.filter(({ conversationId }) => conversationId === id))).toEqual([
        "ConversationDeleted",
      ]);
      await Promise.all([events.return(), again.return()]);
    });

    it("are refused before the first event where there is nothing to tell of, or the cursor is none", async () => {
      const parley = shared();
      const [id, other] = [await startedConversation(parley), await startedConversation(parley)];
      const codes = async (results: Results<Data>) => {
        const { value } = await results.next();
        await results.return();
        return codesOf(value);
      };
      expect(await codes(ofConversation("conv_01ARZ3NDEKTSV4RRFFQ69G5FAV"))).toEqual(["NOT_FOUND"]);
      expect(await codes(ofConversation("nonsense", "nonsense"))).toEqual(["BAD_USER_INPUT"]);
      const future = Buffer.from(JSON.stringify(["c", id, 1000])).toString("base64url");
      for (const after of ["", "x", await eventCursorOf(parley, other), future])
        expect([after, await codes(ofConversation(id, after))]).toEqual([after, ["BAD_USER_INPUT"]]);
      const tomorrow = `${Date.now() + 86_400_000}000`;
      for (const after of ["x", await eventCursorOf(parley, id), viewerPlace(tomorrow)])
        expect([after, await codes(ofViewer(after))]).toEqual([after, ["BAD_USER_INPUT"]]);
      expect(await codes(ofViewer(viewerPlace("1")))).toEqual(["CURSOR_EXPIRED"]);
    });
  });
});

describe("events that are committed after a listener's server has counted and before it looks into the log", () => {
  /** As many events as are read in one go. */
  const page = 100;

  describe.each([
    ["conversationEvents", conversationDocument],
    ["viewerEvents", viewerDocument],
  ])("of %s", (name, document) => {
    it.each([1, page + 50])("are told once and in order, as is what follows: %d", async (count) => {
      const parley = await TestParley.start("postgresql");
      const id = await startedConversation(parley);
      await parley.ask(update, { id, title: "what the log is read for" });
      const sql = await openSql(parley.databaseUrl);
      const cursors = async () => (await eventRows(sql)).map((row) => placeOf(name, id, row));
      const [started = ""] = await cursors();
      const gate = await gateReadsOf(parley.databaseUrl, "ConversationEvent");
      const events = subscribe<Data>("websocket", parley.url, document, { id, after: started });
      const first = events.next();
      await gate.waiting(1);
      await gate.sql(`INSERT INTO "ConversationEvent"
        ("ownerId", "sequence", "conversationId", "conversationSequence", "type", "createdAt")
        SELECT "ownerId", "sequence" + n, '${id}', 2 + n, 'CHANGED', now()
        FROM "EventCounter", generate_series(1, ${count}) AS n`);
      await gate.sql(`UPDATE "EventCounter" SET "sequence" = "sequence" + ${count}`);
      await gate.sql(`UPDATE "Conversation" SET "eventSequence" = 2 + ${count}`);
      await gate.open();
      const told = [cursorIn((await first).value)];
      const tellNext = async () => told.push(cursorIn((await events.next()).value));
      // The rest waits for news, which the server hears of with the next change.
      while (told.length < Math.min(1 + count, page)) await tellNext();
      for (const title of ["a", "b"]) {
        await parley.ask(update, { id, title });
        const newest = (await cursors()).at(-1);
        while (told.at(-1) !== newest) await tellNext();
      }
      expect(told).toEqual((await cursors()).slice(1));
      await events.return();
    });
  });
});

describe("a cursor whose events are gone", () => {
  it("is told as expired, and the conversation's newest cursor goes on", async () => {
    const parley = await TestParley.start("sqlite");
    const id = await startedConversation(parley);
    const old = await eventCursorOf(parley, id);
    await parley.ask(update, { id, title: "a" });
    await parley.ask(update, { id, title: "b" });
    const sql = await openSql(`file:${parley.folder}/parley.db`);
    await sql(`DELETE FROM "ConversationEvent" WHERE "conversationSequence" = 2`);
    const events = subscribe<Data>("websocket", parley.url, conversationDocument, { id, after: old });
    expect(codesOf((await events.next()).value)).toEqual(["CURSOR_EXPIRED"]);
    const newest = await eventCursorOf(parley, id);
    const again = subscribe<Data>("websocket", parley.url, conversationDocument, { id, after: newest });
    const next = again.next();
    await parley.ask(update, { id, title: "c" });
    expect((await next).value).toMatchObject({ data: { events: { conversation: { title: "c" } } } });
    await again.return();
  });
});

/** Fails where there is none. */
function cursorIn(result: unknown): string {
  const { data } = (result ?? {}) as EventResult<Data>;
  if (data == null) throw new Error(`no event came: ${JSON.stringify(result)}`);
  return data.events.cursor;
}

interface EventRow {
  sequence: string;
  conversationSequence: number;
}

async function eventRows(sql: Sql): Promise<EventRow[]> {
  const query =
    'SELECT "sequence"::text, "conversationSequence" FROM "ConversationEvent" ORDER BY "ConversationEvent"."sequence"';
  return (await sql(query)) as EventRow[];
}

function placeOf(subscription: string, id: string, { sequence, conversationSequence }: EventRow): string {
  if (subscription === "viewerEvents") return viewerPlace(sequence);
  return Buffer.from(JSON.stringify(["c", id, conversationSequence])).toString("base64url");
}

function viewerPlace(sequence: string): string {
  return Buffer.from(JSON.stringify(["v", sequence])).toString("base64url");
}

/** A subscription without a cursor tells what happens from when it stands: changes are made until one is told. */
async function untilStands(results: Results<Data>, id: string, change: () => Promise<unknown>) {
  const stands = new AbortController();
  const first = until(results, (event) => event.conversationId === id).finally(() => stands.abort());
  while (!stands.signal.aborted) await change();
  return first;
}
