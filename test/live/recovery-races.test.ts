import { mkdir, rename } from "node:fs/promises";
import { basename, join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import type { AudioStore } from "../../src/storage/audio-store.js";
import { onEachDatabase } from "../helpers/databases.js";
import { gateRow } from "../helpers/gates.js";
import type { Gate } from "../helpers/gates.js";
import { endOfTurn } from "../helpers/exchanges.js";
import { askByText, deleteConversation, retryTurn, startedConversation } from "../helpers/operations.js";
import type { Turn } from "../helpers/operations.js";
import { TestParley } from "../helpers/parley.js";
import { keptSoundFiles } from "../helpers/sound.js";
import { TurnEventsError, turnEvents } from "../helpers/turn-events.js";
import type { TurnEvent } from "../helpers/turn-events.js";
import { Signal } from "./channel.js";

const longAgo = { leaseOwner: "srv_dead", leaseExpiresAt: new Date(0) };

interface Left {
  conversationId: string;
  turn: Turn;
}

async function answeredTurn(parley: TestParley): Promise<Left> {
  const conversationId = await startedConversation(parley);
  return { conversationId, turn: await askByText(parley, conversationId, "Say 'one two'") };
}

/** Makes a turn what a server that is killed in the middle of its answer leaves of it: rows, log and draft. */
async function leaveRunning(parley: TestParley, { conversationId, turn }: Left) {
  const { client } = parley.server.context.database;
  const [file = ""] = await keptSoundFiles(parley);
  const drafts = join(parley.dataDir, "audio", "drafts");
  await mkdir(drafts, { recursive: true });
  await rename(file, join(drafts, `${conversationId}~${basename(file)}.part`));
  const { id: messageId = "", transcript = "", audio } = turn.assistantMessage ?? {};
  const audioByteLength = (audio?.byteLength ?? 0) - 44;
  await client.answerLogEntry.create({ data: { messageId, sequence: 1, transcript, audioByteLength } });
  await client.audioClip.update({ where: { messageId }, data: { byteLength: 0, sha256: null } });
  await client.message.update({ where: { id: messageId }, data: { growing: true, transcript: null } });
  const active = { activeConversationId: conversationId, endedAt: null, finishReason: null };
  await client.turn.update({ where: { id: turn.id }, data: { ...active, ...longAgo, status: "RUNNING" } });
}

/** As a turn is between its acceptance and the moment before its call. */
async function leaveQueued(parley: TestParley, { conversationId, turn }: Left) {
  const { client } = parley.server.context.database;
  await client.message.deleteMany({ where: { turnId: turn.id, role: "ASSISTANT" } });
  const active = { activeConversationId: conversationId, endedAt: null, finishReason: null };
  await client.turn.update({ where: { id: turn.id }, data: { ...active, ...longAgo, status: "QUEUED" } });
  for (const file of await keptSoundFiles(parley)) await parley.server.context.store.delete(keyOf(file));
}

const keyOf = (file: string) => file.split("/").slice(-2).join("/");

/** Who makes an answer whole has copied its draft and waits until it is released; `come` resolves when one does. */
function holdSalvage(store: AudioStore): { come: Promise<undefined>; release: () => void } {
  const [reached, released] = [new Signal(), new Signal()];
  const copyDraft = store.copyDraft.bind(store);
  store.copyDraft = async (key) => {
    const draft = await copyDraft(key);
    reached.tell(undefined);
    await released.come;
    return draft;
  };
  return { come: reached.come, release: () => released.tell(undefined) };
}

/** Somebody who has heard that a turn has started. `last`: the event, or the code of the error, with which it ends for them. */
async function listener(parley: TestParley, turnId: string): Promise<{ last: Promise<string> }> {
  const events = turnEvents("websocket", parley.url, turnId);
  const first = await events.next();
  return { last: lastOf(events, first.value?.__typename ?? "") };
}

async function lastOf(events: AsyncIterable<TurnEvent>, first: string): Promise<string> {
  let last = first;
  try {
    for await (const { __typename } of events) last = __typename;
  } catch (error) {
    if (!(error instanceof TurnEventsError)) throw error;
    return error.codes.join();
  }
  return last;
}

async function nothingIsLeft(parley: TestParley): Promise<void> {
  const { client } = parley.server.context.database;
  const rows = [client.turn.count(), client.message.count(), client.audioClip.count()];
  expect(await Promise.all([...rows, client.answerLogEntry.count()])).toEqual([0, 0, 0, 0]);
  expect(await keptSoundFiles(parley)).toEqual([]);
  expect(parley.log.filter((line) => /"level":[56]0/.test(line))).toEqual([]);
}

onEachDatabase("a conversation that is deleted", (kind) => {
  it("while its interrupted answer is being made whole: nothing of it stays, and listeners hear the end", async () => {
    const parley = await TestParley.start(kind, { env: { LEASE_MS: "1000" } });
    const { recovery, store } = parley.server.context;
    const left = await answeredTurn(parley);
    const salvage = holdSalvage(store);
    await leaveRunning(parley, left);
    await salvage.come;
    const listening = await listener(parley, left.turn.id);
    await parley.ask(deleteConversation, { id: left.conversationId });
    expect(await listening.last).toBe("NOT_FOUND");
    salvage.release();
    await recovery.close();
    await nothingIsLeft(parley);
  });
});

onEachDatabase("a retry of a turn whose interrupted answer is being made whole", (kind) => {
  it("is refused until it has ended, then runs; the interrupted answer and its draft are gone", async () => {
    const parley = await TestParley.start(kind, { env: { LEASE_MS: "1000" } });
    const left = await answeredTurn(parley);
    const salvage = holdSalvage(parley.server.context.store);
    await leaveRunning(parley, left);
    await salvage.come;
    const retry = () =>
      parley.send<{ retryTurn: { turn: Turn } }>(retryTurn, { input: { turnId: left.turn.id } });
    const { errors } = await retry();
    expect(errors).toMatchObject([{ extensions: { code: "TURN_IN_PROGRESS", turnId: left.turn.id } }]);
    salvage.release();
    expect(await endOfTurn(parley, left.turn.id)).toMatchObject({ status: "FAILED", attempt: 1 });
    const { turn } = (await retry()).data.retryTurn;
    expect(turn).toMatchObject({ status: "COMPLETED", attempt: 2 });
    const files = (await keptSoundFiles(parley)).map((file) => basename(file, ".wav"));
    expect(files).toEqual([turn.assistantMessage?.audio?.id]);
  });
});

describe("a conversation on Postgres whose deletion and whose turn's recovery wait for each other", () => {
  /** `inOrder` holds both at the gate, whoever is named first, and opens it. */
  async function withTurnLeft(leave: typeof leaveRunning, who: string) {
    const parley = await TestParley.start("postgresql", { env: { LEASE_MS: "600000" } });
    const left = await answeredTurn(parley);
    await leave(parley, left);
    const remove = () => parley.ask(deleteConversation, { id: left.conversationId });
    const recover = () => parley.startAnother();
    const inOrder = async (gate: Gate) => {
      const first = who === "the deletion is first" ? remove() : recover();
      await gate.waiting(1);
      const second = who === "the deletion is first" ? recover() : remove();
      await gate.waiting(2);
      await gate.open();
      await Promise.all([first, second]);
    };
    return { parley, ...left, inOrder };
  }

  it.each([
    ["the deletion is first", ["NOT_FOUND"]],
    ["the recovery is first", ["TurnEnded", "NOT_FOUND"]],
  ])("leaves nothing of an interrupted turn, and listeners hear the end: %s", async (who, ends) => {
    const { parley, conversationId, turn, inOrder } = await withTurnLeft(leaveRunning, who);
    const listening = await listener(parley, turn.id);
    await inOrder(await gateRow(parley.databaseUrl, "Conversation", conversationId));
    expect(ends).toContain(await listening.last);
    await nothingIsLeft(parley);
  });

  it.each([
    ["the deletion is first", ["NOT_FOUND"]],
    ["the recovery is first", ["NOT_FOUND"]],
  ])("asks the model nothing for a turn that was not begun: %s", async (who, ends) => {
    const { parley, turn, inOrder } = await withTurnLeft(leaveQueued, who);
    const asked = parley.standIn.requests.length;
    const listening = lastOf(turnEvents("websocket", parley.url, turn.id), "");
    await inOrder(await gateRow(parley.databaseUrl, "Turn", turn.id));
    expect(ends).toContain(await listening);
    await parley.closeOthers();
    await nothingIsLeft(parley);
    expect(parley.standIn.requests).toHaveLength(asked);
  });
});
