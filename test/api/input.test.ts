import { expect, it } from "@jest/globals";
import { onEachDatabase } from "../helpers/databases.js";
import {
  addAudioTurn,
  addTextTurn,
  askByText,
  startConversation,
  startedConversation,
} from "../helpers/operations.js";
import { sharedParley } from "../helpers/parley.js";
import type { TestParley } from "../helpers/parley.js";

const emoji = "🐕";
const badText = ["a\0b", "a\ud800b", "\udc00"];
const badKeys = ["", "x".repeat(201), "ä", "line\n", "\0", "\x7f", "\ud800"];
const badVoices = ["", "nobody", "ALLOY", " alloy", "__proto__", "constructor", "toString", "\0", "\ud800"];

async function codesOf(parley: TestParley, query: string, input: object): Promise<string[]> {
  const { errors } = await parley.send(query, { input });
  return errors.map(({ extensions }) => extensions.code);
}

async function turnCount(parley: TestParley, id: string): Promise<number> {
  const query = "query ($id: ID!) { conversation(id: $id) { turns { totalCount } } }";
  const data = await parley.ask<{ conversation: { turns: { totalCount: number } } }>(query, { id });
  return data.conversation.turns.totalCount;
}

onEachDatabase("Input", (kind) => {
  const shared = sharedParley(kind);

  it("of a conversation is measured in characters, after trimming", async () => {
    const parley = shared();
    const taken = [
      { title: ` ${emoji.repeat(200)}\n` },
      { instructions: ` ${emoji.repeat(32_000)} ` },
      { title: "\u0001\u202e\ufffe", voice: "verse" },
      { idempotencyKey: " " },
      { idempotencyKey: "~".repeat(200) },
    ];
    for (const input of taken) expect(await codesOf(parley, startConversation, input)).toEqual([]);
    const refused = [
      { title: emoji.repeat(201) },
      { instructions: emoji.repeat(32_001) },
      ...badText.flatMap((text) => [{ title: text }, { instructions: text }]),
      ...badVoices.map((voice) => ({ voice })),
      ...badKeys.map((idempotencyKey) => ({ idempotencyKey })),
    ];
    for (const input of refused) {
      expect([input, await codesOf(parley, startConversation, input)]).toEqual([input, ["BAD_USER_INPUT"]]);
    }
  });

  it("comes back as it was written, whatever characters it holds", async () => {
    const parley = shared();
    const text = "Ä\u0301 🐕‍🦺 \u202eright to left\u202c 'quotes' \"double\" \\ % _ \u0001 \u2028 ﷽ \ufeffend";
    const id = await startedConversation(parley, { title: text, instructions: text });
    const turn = await askByText(parley, id, text);
    expect(turn.userMessage.text).toBe(text);
    const query = "query ($id: ID!) { conversation(id: $id) { title instructions } }";
    expect(await parley.ask(query, { id })).toEqual({ conversation: { title: text, instructions: text } });
  });

  it("of a turn that is refused adds no turn and calls no model", async () => {
    const parley = shared();
    const conversationId = await startedConversation(parley);
    const calls = parley.standIn.requests.length;
    const replies = [
      { modalities: [] },
      { modalities: ["SMELL"] },
      { modalities: null },
      { format: "WMA" },
      { maxTokens: 0 },
      { maxTokens: -1 },
      { maxTokens: 2 ** 31 },
      { maxTokens: 1.5 },
      { maxTokens: "10" },
      { temperature: -0.01 },
      { temperature: 2.01 },
      { temperature: "1" },
      { colour: "red" },
      ...badVoices.map((voice) => ({ voice })),
    ];
    const refused = [
      ...replies.map((reply) => ({ text: "Hello", reply })),
      ...["", " \n\t\u00a0", emoji.repeat(100_001), ...badText].map((text) => ({ text })),
      ...badKeys.map((idempotencyKey) => ({ text: "Hello", idempotencyKey })),
      ...[-1, 120_001, 2 ** 31, 0.5, "1", null].map((waitMs) => ({ text: "Hello", waitMs })),
      {},
      { text: null },
      { text: 5 },
      { text: "Hello", reply: null },
    ];
    for (const input of refused) {
      const codes = await codesOf(parley, addTextTurn, { conversationId, ...input });
      expect([input, codes]).toEqual([input, ["BAD_USER_INPUT"]]);
    }
    const audio = { base64: "AAAA" };
    for (const text of [emoji.repeat(100_001), ...badText]) {
      expect(await codesOf(parley, addAudioTurn, { conversationId, audio, text })).toEqual([
        "BAD_USER_INPUT",
      ]);
    }
    expect(await turnCount(parley, conversationId)).toBe(0);
    expect(parley.standIn.requests).toHaveLength(calls);
  });

  it("of a turn is taken up to its limits", async () => {
    const parley = shared();
    const conversationId = await startedConversation(parley);
    const text = emoji.repeat(100_000);
    const turn = await askByText(parley, conversationId, `\n${text} `, {
      reply: { modalities: ["AUDIO", "AUDIO"], maxTokens: 2 ** 31 - 1, temperature: 2, voice: "cedar" },
      idempotencyKey: "~ !".repeat(66),
      waitMs: 120_000,
    });
    expect(turn).toMatchObject({
      status: "COMPLETED",
      reply: { modalities: ["TEXT", "AUDIO"], maxTokens: 2 ** 31 - 1, temperature: 2, voice: "cedar" },
    });
    expect(turn.userMessage.text === text).toBe(true);
  });

  it("that is no object, or has fields that are not there, is BAD_USER_INPUT", async () => {
    for (const input of [
      5,
      "x",
      [],
      null,
      { titel: "Dogs" },
      { title: 5 },
      { title: { a: 1 } },
      { title: ["a", "b"] },
    ]) {
      expect(await codesOf(shared(), startConversation, input as object)).toEqual(["BAD_USER_INPUT"]);
    }
  });
});
