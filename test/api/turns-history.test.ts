import { expect, it } from "@jest/globals";
import { newId } from "../../src/ids.js";
import { onEachDatabase } from "../helpers/databases.js";
import { inShort, lastMessages, sentRequests } from "../helpers/exchanges.js";
import { askByAudio, askByText, startedConversation } from "../helpers/operations.js";
import type { Turn } from "../helpers/operations.js";
import { TestParley } from "../helpers/parley.js";
import { spokenWav } from "../helpers/sound.js";

const textOnly = { reply: { modalities: ["TEXT"] } };

/** How a later request refers to the turn's spoken answer. */
function reference(turn: Turn): string {
  return `assistant: <${turn.assistantMessage?.audio?.providerAudioId}>`;
}

/** The messages of the numbered request (from the end: -1, -2), each in short. */
function messagesOf(parley: TestParley, index: number): string[] {
  return (sentRequests(parley.standIn).at(index)?.messages ?? []).map(inShort);
}

onEachDatabase("a conversation's history", (kind) => {
  it("falls back to transcripts once audio ids have expired, without asking in vain", async () => {
    const parley = await TestParley.start(kind, { standIn: { audioIdLifetimeMs: 1_000 } });
    const conversationId = await startedConversation(parley);
    await askByText(parley, conversationId, "Say 'one'");
    await askByText(parley, conversationId, "Say 'two'");
    const third = await askByText(parley, conversationId, "Say 'three'");
    expect(third.status).toBe("COMPLETED");
    expect(lastMessages(parley.standIn)).toEqual([
      "user: Say 'one'",
      "assistant: one",
      "user: Say 'two'",
      "assistant: two",
      "user: Say 'three'",
    ]);
    expect(parley.standIn.requests).toHaveLength(3);
  });

  it("is sent once more with transcripts where the model no longer knows an id, which is never named again", async () => {
    const parley = await TestParley.start(kind);
    const conversationId = await startedConversation(parley);
    const first = await askByText(parley, conversationId, "Say 'one'");
    const second = await askByText(parley, conversationId, "Say 'two'");
    parley.standIn.expireAudioIds();
    const third = await askByText(parley, conversationId, "Say 'three'");

    expect(third).toMatchObject({ status: "COMPLETED", attempt: 1, error: null });
    expect(third.usage).toMatchObject({ outputAudioTokens: 20, estimated: false });
    expect(parley.standIn.requests.map(({ status }) => status)).toEqual([200, 200, 400, 200]);
    const [user1, user2, user3] = ["user: Say 'one'", "user: Say 'two'", "user: Say 'three'"];
    expect(messagesOf(parley, -2)).toEqual([user1, reference(first), user2, reference(second), user3]);
    expect(messagesOf(parley, -1)).toEqual([user1, "assistant: one", user2, "assistant: two", user3]);

    await parley.restart();
    const fourth = await askByText(parley, conversationId, "Say 'four'");
    expect(fourth.status).toBe("COMPLETED");
    expect(lastMessages(parley.standIn)).toEqual([
      user1,
      "assistant: one",
      user2,
      "assistant: two",
      user3,
      reference(third),
      "user: Say 'four'",
    ]);
    expect(parley.standIn.requests).toHaveLength(5);
  });

  it("never names an id again that the model did not know, also where the second request fails", async () => {
    const parley = await TestParley.start(kind);
    const conversationId = await startedConversation(parley);
    await askByText(parley, conversationId, "Say 'one'");
    parley.standIn.failNext({ name: "audio-id-expired" }, { name: "rejected" });
    const failed = await askByText(parley, conversationId, "Say 'two'");
    expect(failed).toMatchObject({
      status: "FAILED",
      error: { code: "PROVIDER_REJECTED", retryable: false },
    });
    expect(parley.standIn.requests).toHaveLength(3);
    await askByText(parley, conversationId, "Say 'three'");
    expect(lastMessages(parley.standIn)).toEqual(["user: Say 'one'", "assistant: one", "user: Say 'three'"]);
  });

  it("names audio ids only to the deployment that made them", async () => {
    const parley = await TestParley.start(kind);
    const conversationId = await startedConversation(parley);
    const first = await askByText(parley, conversationId, "Say 'one'");
    const auth = { kind: "api-key", apiKey: "test-key" } as const;
    const endpoint = parley.standIn.url;
    await parley.restart({}, { endpoint, deployment: "another-deployment", auth });
    const second = await askByText(parley, conversationId, "Say 'two'");
    expect(lastMessages(parley.standIn)).toEqual(["user: Say 'one'", "assistant: one", "user: Say 'two'"]);

    await parley.restart({}, { endpoint, deployment: "test-deployment", auth });
    const third = await askByText(parley, conversationId, "Say 'three'");
    expect([second.status, third.status]).toEqual(["COMPLETED", "COMPLETED"]);
    expect(lastMessages(parley.standIn)).toEqual([
      "user: Say 'one'",
      reference(first),
      "user: Say 'two'",
      "assistant: two",
      "user: Say 'three'",
    ]);
    expect(parley.standIn.requests).toHaveLength(3);
  });

  it("keeps the newest user sound within its bytes; older sound is told by its length", async () => {
    const wav = spokenWav();
    const parley = await TestParley.start(kind, {
      env: { HISTORY_MAX_AUDIO_BYTES: String(wav.byteLength + 100) },
    });
    const conversationId = await startedConversation(parley);
    await askByAudio(parley, conversationId, wav, textOnly);
    await askByAudio(parley, conversationId, wav, { text: "And this?", ...textOnly });
    // The new clip is not counted.
    await askByAudio(parley, conversationId, spokenWav(62_000), textOnly);
    expect(lastMessages(parley.standIn).filter((message) => message.startsWith("user"))).toEqual([
      "user: [spoken message, 0:01]",
      "user: And this? + <sound>",
      "user: <sound>",
    ]);
    const last = await askByText(parley, conversationId, "Say 'hello'", textOnly);
    expect(lastMessages(parley.standIn).filter((message) => message.startsWith("user"))).toEqual([
      "user: [spoken message, 0:01]",
      "user: And this?\n\n[spoken message, 0:01]",
      "user: [spoken message, 1:02]",
      "user: Say 'hello'",
    ]);
    // No sound is left in it, so the model would take no request for text alone.
    expect(sentRequests(parley.standIn).at(-1)?.modalities).toEqual(["text", "audio"]);
    expect(last).toMatchObject({
      status: "COMPLETED",
      omittedTurns: 0,
      assistantMessage: { text: "hello", transcript: null, audio: null },
    });
  });

  it("leaves out the oldest turns over its tokens, and tells how many; instructions and the new message stay", async () => {
    // A turn here is 7 tokens of text, and an answer of a second with its message: 4 + 20.
    const parley = await TestParley.start(kind, { env: { HISTORY_MAX_TOKENS: String(7 + 7 + 2 * 31) } });
    const conversationId = await startedConversation(parley, { instructions: "Be brief." });
    const turns: Turn[] = [];
    for (const word of ["a", "b", "c", "d"])
      turns.push(await askByText(parley, conversationId, `Say '${word}'`));
    expect(turns.map(({ omittedTurns }) => omittedTurns)).toEqual([0, 0, 0, 1]);
    const [, second, third] = turns as [Turn, Turn, Turn];
    expect(lastMessages(parley.standIn)).toEqual([
      "system: Be brief.",
      "user: Say 'b'",
      reference(second),
      "user: Say 'c'",
      reference(third),
      "user: Say 'd'",
    ]);
    const long = `Say 'long' ${"x".repeat(1_000)}`;
    const alone = await askByText(parley, conversationId, long);
    expect(alone).toMatchObject({ status: "COMPLETED", omittedTurns: 4 });
    expect(lastMessages(parley.standIn)).toEqual(["system: Be brief.", `user: ${long}`]);
  });

  it("of 2,000 turns is read as far as a request reaches", async () => {
    const parley = await TestParley.start(kind);
    const conversationId = await startedConversation(parley);
    await storeWrittenTurns(parley, conversationId, 2_000);
    parley.statements.length = 0;
    const turn = await askByText(parley, conversationId, "Say 'still here'");

    // 100 + 4 tokens for each message; the new one has 5 + 4.
    const keptTurns = Math.floor((100_000 - 9) / 208);
    expect(turn).toMatchObject({ position: 2_001, status: "COMPLETED", omittedTurns: 2_000 - keptTurns });
    const messages = lastMessages(parley.standIn);
    expect(messages).toHaveLength(2 * keptTurns + 1);
    expect(messages[0]).toContain(`question ${2_000 - keptTurns + 1} `);
    expect(messages.at(-1)).toBe("user: Say 'still here'");
    // Pages of a hundred turns, not a statement a turn.
    expect(parley.statements.length).toBeLessThan(100);
  });

  it("that a request does not reach is counted once; from then on every turn tells the next, whatever its end", async () => {
    const parley = await TestParley.start(kind, { env: { HISTORY_MAX_TOKENS: "1000" } });
    const { client } = parley.server.context.database;
    const conversationId = await startedConversation(parley);
    await storeWrittenTurns(parley, conversationId, 250);
    const failed = { conversationId, position: { in: [3, 149, 248] } };
    await client.turn.updateMany({ where: failed, data: { status: "FAILED", finishReason: null } });
    let usable = 247;
    const countsOf = async (text: string, more: object = textOnly) => {
      parley.statements.length = 0;
      const { omittedTurns } = await askByText(parley, conversationId, text, more);
      const sent = (lastMessages(parley.standIn).length - 1) / 2;
      expect([text, omittedTurns]).toEqual([text, usable - sent]);
      expect(sent).toBeLessThan(usable);
      return parley.statements.filter((sql) => /SELECT COUNT/i.test(sql) && sql.includes("Message")).length;
    };
    expect(await countsOf("Say 'counted'")).toBe(1);
    usable += 1;
    expect(await countsOf("Say 'told'")).toBe(0);
    usable += 1;
    parley.standIn.failNext({ name: "rejected" });
    expect(await countsOf("Say 'in vain'")).toBe(0);
    expect(await countsOf("Say 'after that'")).toBe(0);
    usable += 1;
    // As a Parley that does not count leaves its turns.
    await client.turn.updateMany({
      where: { conversationId, position: { gt: 252 } },
      data: { usableBefore: null },
    });
    expect(await countsOf("Say 'between'")).toBe(0);
  });
});

/** Ended turns by text, written straight into the database; each message has 400 characters. */
async function storeWrittenTurns(parley: TestParley, conversationId: string, count: number): Promise<void> {
  const { client } = parley.server.context.database;
  const createdAt = new Date();
  const owned = { ownerId: "viewer_local", conversationId, createdAt };
  const turns = Array.from({ length: count }, (_, index) => ({
    ...owned,
    id: newId("turn"),
    position: index + 1,
    status: "COMPLETED",
    replyModalities: "TEXT",
    replyVoice: "alloy",
    replyFormat: "WAV",
    endedAt: createdAt,
  }));
  const message = (turnId: string, role: string, text: string) => ({
    ...owned,
    id: newId("msg"),
    turnId,
    role,
    text: text.padEnd(400, "."),
  });
  await client.turn.createMany({ data: turns });
  await client.message.createMany({
    data: turns.flatMap(({ id, position }) => [
      message(id, "USER", `question ${position} `),
      message(id, "ASSISTANT", `answer ${position} `),
    ]),
  });
}
