import { expect, it } from "@jest/globals";
import { onEachDatabase } from "../helpers/databases.js";
import { askByText, startedConversation } from "../helpers/operations.js";
import { sharedParley } from "../helpers/parley.js";
import type { TestParley } from "../helpers/parley.js";
import { storeConversations } from "../helpers/stored-conversations.js";

interface Conversation {
  id: string;
  title: string | null;
  instructions: string | null;
  voice: string;
  createdAt: string;
  updatedAt: string;
  lastActivityAt: string;
  archivedAt: string | null;
  activeTurn: { id: string } | null;
  eventCursor: string;
}

const fields = `id title instructions voice createdAt updatedAt lastActivityAt archivedAt activeTurn { id } eventCursor`;

function start(parley: TestParley, input: object = {}) {
  return changed(parley, "startConversation", "StartConversationInput", input);
}

function update(parley: TestParley, input: object) {
  return changed(parley, "updateConversation", "UpdateConversationInput", input);
}

function archive(parley: TestParley, input: object) {
  return changed(parley, "archiveConversation", "ArchiveConversationInput", input);
}

async function changed(
  parley: TestParley,
  field: string,
  inputType: string,
  input: object,
): Promise<Conversation> {
  const data = await parley.ask<Record<string, { conversation: Conversation }>>(
    `mutation ($input: ${inputType}!) { ${field}(input: $input) { conversation { ${fields} } } }`,
    { input },
  );
  const conversation = data[field]?.conversation;
  if (conversation === undefined) throw new Error(`${field} answered nothing`);
  return conversation;
}

async function read(parley: TestParley, id: string): Promise<Conversation | null> {
  const query = `query ($id: ID!) { conversation(id: $id) { ${fields} } }`;
  return (await parley.ask<{ conversation: Conversation | null }>(query, { id })).conversation;
}

async function codeOf(
  parley: TestParley,
  query: string,
  variables: object = {},
): Promise<string | undefined> {
  return (await parley.send(query, variables)).errors[0]?.extensions.code;
}

const deleteConversation = `mutation ($input: DeleteConversationInput!) {
  deleteConversation(input: $input) { deletedConversationId }
}`;

async function titlesFound(
  parley: TestParley,
  search: string,
  filter: object = {},
): Promise<(string | null)[]> {
  const query = `query ($filter: ConversationFilter!) {
    conversations(first: 100, filter: $filter, orderBy: { field: TITLE, direction: ASC }) { nodes { title } totalCount }
  }`;
  const { conversations } = await parley.ask<{
    conversations: { nodes: { title: string | null }[]; totalCount: number };
  }>(query, { filter: { search, ...filter } });
  expect(conversations.totalCount).toBe(conversations.nodes.length);
  return conversations.nodes.map(({ title }) => title);
}

const titles: readonly (string | null)[] = [
  "dogs and cats",
  "Hot DOGS",
  "ÄRGER über ÖL",
  "Η ΟΔΟΣ ΜΟΥ",
  "οδοστρωμα",
  "Lange Straße",
  "walk the 🐕 today",
  "100% sure",
  "snake_case",
  "back\\slash",
  "it's",
  "Café",
];

const searches: readonly [search: string, found: string[]][] = [
  ["dogs", ["Hot DOGS", "dogs and cats"]],
  ["DOGS", ["Hot DOGS", "dogs and cats"]],
  ["ärger", ["ÄRGER über ÖL"]],
  ["ÖL", ["ÄRGER über ÖL"]],
  ["οδος", ["Η ΟΔΟΣ ΜΟΥ", "οδοστρωμα"]],
  ["ΟΔΟΣ", ["Η ΟΔΟΣ ΜΟΥ", "οδοστρωμα"]],
  ["STRASSE", ["Lange Straße"]],
  ["straße", ["Lange Straße"]],
  ["🐕", ["walk the 🐕 today"]],
  ["%", ["100% sure"]],
  ["0%", ["100% sure"]],
  ["_", ["snake_case"]],
  ["e_c", ["snake_case"]],
  ["\\", ["back\\slash"]],
  ["k\\s", ["back\\slash"]],
  ["\\%", []],
  ["'", ["it's"]],
  ["*", []],
  ["[a-z]", []],
  ["cafe\u0301", ["Café"]],
];

onEachDatabase("A conversation", (kind) => {
  const shared = sharedParley(kind, { env: { DEFAULT_VOICE: "sage" } });

  it("starts with the defaults where nothing is said, and with what is said, trimmed", async () => {
    const parley = shared();
    const bare = await start(parley);
    expect(bare).toMatchObject({ title: null, instructions: null, voice: "sage", archivedAt: null });
    expect(bare).toMatchObject({
      activeTurn: null,
      updatedAt: bare.createdAt,
      lastActivityAt: bare.createdAt,
    });
    const said = await start(parley, {
      title: "  Dogs\n",
      instructions: " Be brief. ",
      voice: "echo",
    });
    expect(said).toMatchObject({ title: "Dogs", instructions: "Be brief.", voice: "echo" });
    const blank = await start(parley, { title: "   ", instructions: "" });
    expect(blank).toMatchObject({ title: null, instructions: null });
    expect(await read(parley, said.id)).toEqual(said);
  });

  it("is changed only where a field is given; null clears", async () => {
    const parley = shared();
    const { id } = await start(parley, { title: "Dogs", instructions: "Be brief.", voice: "echo" });
    const renamed = await update(parley, { conversationId: id, title: "Cats" });
    expect(renamed).toMatchObject({ title: "Cats", instructions: "Be brief.", voice: "echo" });
    const same = await update(parley, { conversationId: id });
    expect(same).toMatchObject({ title: "Cats", instructions: "Be brief.", voice: "echo" });
    const cleared = await update(parley, {
      conversationId: id,
      title: null,
      instructions: null,
      voice: null,
    });
    expect(cleared).toMatchObject({ title: null, instructions: null, voice: "sage" });
    expect(await read(parley, id)).toEqual(cleared);
  });

  it("takes nothing of a change of which a part is refused", async () => {
    const parley = shared();
    const before = await start(parley, { title: "Dogs" });
    const query = `mutation ($input: UpdateConversationInput!) {
      updateConversation(input: $input) { conversation { id } }
    }`;
    const input = { conversationId: before.id, title: "Cats", voice: "nobody" };
    expect(await codeOf(parley, query, { input })).toBe("BAD_USER_INPUT");
    expect(await read(parley, before.id)).toEqual(before);
  });

  it("keeps the time of its last activity when it is renamed or put away", async () => {
    const parley = shared();
    const [id = ""] = await storeConversations(parley, [{ at: new Date("2026-01-01T00:00:00.000Z") }]);
    const renamed = await update(parley, { conversationId: id, title: "Cats" });
    const archived = await archive(parley, { conversationId: id });
    expect([renamed.lastActivityAt, archived.lastActivityAt]).toEqual([
      "2026-01-01T00:00:00.000Z",
      "2026-01-01T00:00:00.000Z",
    ]);
    expect(Date.parse(renamed.updatedAt)).toBeGreaterThan(Date.parse(renamed.lastActivityAt));
    await askByText(parley, id, "Hello", { reply: { modalities: ["AUDIO"] } });
    const asked = await read(parley, id);
    expect(Date.parse(asked?.lastActivityAt ?? "")).toBeGreaterThan(Date.parse(renamed.lastActivityAt));
  });

  it("is put away once, taken back, and listed by where it is", async () => {
    const parley = shared();
    const { id } = await start(parley, { title: "putaway one" });
    await start(parley, { title: "putaway two" });
    const archived = await archive(parley, { conversationId: id });
    expect(archived.archivedAt).not.toBeNull();
    const again = await archive(parley, { conversationId: id, archived: true });
    expect(again.archivedAt).toBe(archived.archivedAt);
    expect(await titlesFound(parley, "putaway")).toEqual(["putaway two"]);
    expect(await titlesFound(parley, "putaway", { archived: true })).toEqual(["putaway one"]);
    const both = await titlesFound(parley, "putaway", { archived: null });
    expect(both).toEqual(["putaway one", "putaway two"]);
    expect((await archive(parley, { conversationId: id, archived: false })).archivedAt).toBeNull();
    expect(await titlesFound(parley, "putaway")).toEqual(["putaway one", "putaway two"]);
  });

  it("is gone with its turns, messages and audio when it was deleted; a second time it is not found", async () => {
    const parley = shared();
    const id = await startedConversation(parley, { title: "deleted" });
    const turn = await askByText(parley, id, "Hello");
    const clip = turn.assistantMessage?.audio;
    const input = { conversationId: id };
    expect(await parley.ask(deleteConversation, { input })).toEqual({
      deleteConversation: { deletedConversationId: id },
    });
    expect(await codeOf(parley, deleteConversation, { input })).toBe("NOT_FOUND");
    const ids = [id, turn.id, turn.userMessage.id, turn.assistantMessage?.id, clip?.id];
    const { nodes } = await parley.ask<{ nodes: unknown[] }>(
      "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }",
      { ids },
    );
    expect(nodes).toEqual([null, null, null, null, null]);
    expect((await fetch(clip?.url ?? "")).status).toBe(404);
    expect(await titlesFound(parley, "deleted")).toEqual([]);
  });

  it.each([
    ["updateConversation", "UpdateConversationInput", {}],
    ["archiveConversation", "ArchiveConversationInput", {}],
    ["addTextTurn", "AddTextTurnInput", { text: "Hello" }],
    ["addAudioTurn", "AddAudioTurnInput", { audio: { base64: "AAAA" } }],
  ])("that is not there can't be used by %s", async (field, inputType, more) => {
    const query = `mutation ($input: ${inputType}!) { ${field}(input: $input) { __typename } }`;
    const { length } = shared().standIn.requests;
    for (const conversationId of [
      "conv_01K00000000000000000000000",
      "",
      "turn_1",
      "\u0000",
      "\ud800",
      "x".repeat(9999),
    ]) {
      expect(await codeOf(shared(), query, { input: { conversationId, ...more } })).toBe("NOT_FOUND");
    }
    expect(shared().standIn.requests).toHaveLength(length);
  });

  it("is found by a part of its title, in any case, each character meaning itself", async () => {
    const parley = shared();
    await storeConversations(
      parley,
      titles.map((title) => ({ title })),
    );
    for (const [search, expected] of searches) {
      const found = await titlesFound(parley, search);
      expect([search, ...found.filter((title) => titles.includes(title)).sort()]).toEqual([
        search,
        ...expected.toSorted(),
      ]);
    }
  });

  it("is listed whatever its title where the search is null or empty", async () => {
    const parley = shared();
    await storeConversations(parley, [{ title: "titled" }, { title: null }]);
    expect(await titlesFound(parley, "")).toEqual(expect.arrayContaining([null, "titled"]));
  });

  it.each(["\u0000", "a\ud800b", "x".repeat(201)])(
    "can't be searched by malformed text (%#)",
    async (search) => {
      const query = "query ($s: String) { conversations(filter: { search: $s }) { totalCount } }";
      expect(await codeOf(shared(), query, { s: search })).toBe("BAD_USER_INPUT");
    },
  );
});
