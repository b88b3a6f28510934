import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, it } from "@jest/globals";
import { textTokens } from "../../src/services/history/estimate.js";
import {
  budgetSettings,
  expectTrueBooks,
  oneTurn,
  parleyWithBudget,
  question,
  today,
} from "../helpers/budgets.js";
import { freshDatabaseUrl, onEachDatabase } from "../helpers/databases.js";
import type { DatabaseKind } from "../helpers/databases.js";
import { endOfTurn } from "../helpers/exchanges.js";
import {
  askByAudio,
  askByText,
  cancelTurn,
  deleteConversation,
  retryTurn,
  startedConversation,
  turnById,
} from "../helpers/operations.js";
import type { Asked, Turn } from "../helpers/operations.js";
import type { TestParley } from "../helpers/parley.js";
import { ParleyProcess, azureSettings, temporaryFolder, testStandIn } from "../helpers/parley-process.js";
import { spokenWav } from "../helpers/sound.js";
import { turnEvents } from "../helpers/turn-events.js";
import { Signal } from "../live/channel.js";

const longAgo = { leaseOwner: "srv_dead", leaseExpiresAt: new Date(0) };
const plenty = 50_000_000;

async function ended(parley: Asked, turnId: string): Promise<Turn> {
  for (;;) {
    const turn = await turnById(parley, turnId);
    if (turn !== null && turn.endedAt !== null) return turn;
    await delay(20);
  }
}

onEachDatabase("a budget, when a server is killed in the middle of an answer,", (kind) => {
  it("still holds what the call may cost, and counts the estimate at the end that recovery writes", async () => {
    const [folder, standIn] = [await temporaryFolder(), await testStandIn()];
    const databaseUrl = await freshDatabaseUrl(kind, folder);
    const budget = await budgetSettings({ VIEWER_DAY: plenty, TENANT_DAY: plenty });
    const env = {
      ...azureSettings(standIn),
      ...budget,
      DATABASE_URL: databaseUrl,
      DATA_DIR: folder,
      LEASE_MS: "1000",
    };
    const parley = await ParleyProcess.start(folder, env);
    const conversationId = await startedConversation(parley);
    const pause = standIn.pauseNext("after-first-audio");
    const { id } = await askByText(parley, conversationId, question, { waitMs: 0 });
    await pause.reached;
    await soundHeard(parley.url, id);
    expect((await today(parley)).reservedMicroUsd).toBe(oneTurn);
    await parley.program.kill();

    const next = await ParleyProcess.start(folder, env);
    const interrupted = await ended(next, id);
    expect(interrupted).toMatchObject({ status: "FAILED", error: { code: "INTERRUPTED" } });
    // What was received is counted as it is where the server lives: a rate of tokens for the words and for the sound.
    const { transcript, audio } = interrupted.assistantMessage ?? {};
    expect(interrupted.usage).toMatchObject({
      estimated: true,
      outputTextTokens: textTokens(transcript ?? ""),
      outputAudioTokens: Math.ceil((audio?.durationMs ?? 0) / 50),
    });
    expect(interrupted.usage?.outputAudioTokens).toBeGreaterThan(0);
    expect(await today(next)).toMatchObject({
      spentMicroUsd: interrupted.usage?.costMicroUsd,
      reservedMicroUsd: 0,
    });
    expect(await expectTrueBooks({ databaseUrl })).toBeGreaterThan(0);
  });
});

async function soundHeard(url: string, turnId: string): Promise<void> {
  for await (const event of turnEvents("websocket", url, turnId))
    if (event.__typename === "AudioDelta") return;
}

/** A turn that waits in the middle of its answer, on a server that has lost it without knowing. */
async function lostTurn() {
  const parley = await parleyWithBudget("postgresql", { VIEWER_DAY: plenty }, { LEASE_MS: "600000" });
  const { client } = parley.server.context.database;
  const conversationId = await startedConversation(parley);
  const pause = parley.standIn.pauseNext("after-first-audio");
  const { id } = await askByText(parley, conversationId, question, { waitMs: 0 });
  await pause.reached;
  await soundHeard(parley.url, id);
  await client.turn.update({ where: { id }, data: longAgo });
  await parley.startAnother();
  const doneHere = async () => {
    pause.release();
    while (parley.server.context.runner.isRunning(id)) await delay(5);
  };
  return { parley, client, conversationId, id, doneHere };
}

describe("a budget, when another server has ended a turn", () => {
  it("counts the estimate, and in its place what the server that made the call knows of it", async () => {
    const { parley, id, doneHere } = await lostTurn();
    const estimate = (await endOfTurn(parley, id)).usage;
    expect(estimate).toMatchObject({ estimated: true });
    expect(estimate?.outputAudioTokens).toBeGreaterThan(0);
    await doneHere();
    const usage = (await turnById(parley, id))?.usage;
    expect(usage?.outputAudioTokens).toBeGreaterThanOrEqual(estimate?.outputAudioTokens ?? Infinity);
    expect(await expectTrueBooks(parley)).toBe(usage?.costMicroUsd);
    expect((await today(parley)).spentMicroUsd).toBe(usage?.costMicroUsd);
  });

  it("holds what its retry may cost until that has ended, whatever the first server tells meanwhile", async () => {
    const { parley, id, doneHere } = await lostTurn();
    const pause = parley.standIn.pauseNext("before-answer");
    await parley.ask(retryTurn, { input: { turnId: id, waitMs: 0 } });
    await pause.reached;
    const held = (await today(parley)).reservedMicroUsd;
    expect(held).toBeGreaterThan(0);
    pause.release();
    await ended(parley, id);
    await doneHere();
    expect((await today(parley)).reservedMicroUsd).toBe(0);
    await expectTrueBooks(parley);
  });

  it("counts what the call has cost where the conversation was deleted before", async () => {
    const { parley, conversationId, doneHere } = await lostTurn();
    await parley.ask(deleteConversation, { id: conversationId });
    await doneHere();
    expect(await expectTrueBooks(parley)).toBeGreaterThan(0);
  });
});

/** As a turn is between its acceptance and the moment before its call, on a server that went away. */
async function leaveQueued(parley: TestParley, data: object) {
  const { client } = parley.server.context.database;
  const conversationId = await startedConversation(parley);
  const { id } = await askByText(parley, conversationId, question);
  await client.message.deleteMany({ where: { turnId: id, role: "ASSISTANT" } });
  const active = { activeConversationId: conversationId, startedAt: null, endedAt: null, finishReason: null };
  const left = { status: "QUEUED", ...longAgo };
  const past = new Date(0);
  const reserved = { turnId: id, attempt: 1, ownerId: "viewer_local", tenantId: "local" };
  await client.budgetReservation.create({
    data: { ...reserved, costMicroUsd: 99, createdAt: past, expiresAt: past },
  });
  await client.turn.update({ where: { id }, data: { ...active, ...left, ...data } });
  return id;
}

describe("a budget, when a server went away before it began a turn,", () => {
  it("holds what the turn may cost until another server has run it", async () => {
    const parley = await parleyWithBudget("postgresql", { VIEWER_DAY: plenty }, { LEASE_MS: "600000" });
    const id = await leaveQueued(parley, {});
    expect((await today(parley)).reservedMicroUsd).toBe(99);
    await parley.startAnother();
    expect(await ended(parley, id)).toMatchObject({ status: "COMPLETED", attempt: 1 });
    expect(parley.standIn.requests).toHaveLength(2);
    await expectTrueBooks(parley);
  });

  it("holds nothing more where it was cancelled", async () => {
    const parley = await parleyWithBudget("postgresql", { VIEWER_DAY: plenty }, { LEASE_MS: "600000" });
    const id = await leaveQueued(parley, { cancelRequestedAt: new Date() });
    await parley.startAnother();
    expect(await ended(parley, id)).toMatchObject({ status: "CANCELLED" });
    expect(parley.standIn.requests).toHaveLength(1);
    await expectTrueBooks(parley);
  });
});

/** A turn that is accepted and waits before its call: its server looks for earlier sound. */
async function turnBeforeItsCall(kind: DatabaseKind) {
  const parley = await parleyWithBudget(kind, { VIEWER_DAY: plenty });
  const conversationId = await startedConversation(parley);
  await askByAudio(parley, conversationId, spokenWav(1_000));
  const [reached, released] = [new Signal(), new Signal()];
  const { runner, store } = parley.server.context;
  const size = store.size.bind(store);
  store.size = async (key) => {
    reached.tell(undefined);
    await released.come;
    return size(key);
  };
  const { id } = await askByText(parley, conversationId, question, { waitMs: 0 });
  await reached.come;
  expect((await today(parley)).reservedMicroUsd).toBeGreaterThan(0);
  const goOn = async () => {
    released.tell(undefined);
    while (runner.isRunning(id)) await delay(5);
  };
  return { parley, conversationId, id, goOn };
}

onEachDatabase("a budget, before a turn's call begins,", (kind) => {
  it("holds nothing more where the turn is cancelled", async () => {
    const { parley, id, goOn } = await turnBeforeItsCall(kind);
    const cancelled = parley.ask<{ cancelTurn: { turn: Turn } }>(cancelTurn, { input: { turnId: id } });
    while (
      (await parley.server.context.database.client.turn.count({ where: { cancelRequestedAt: null, id } })) > 0
    )
      await delay(5);
    await goOn();
    expect((await cancelled).cancelTurn.turn).toMatchObject({ status: "CANCELLED" });
    expect(parley.standIn.requests).toHaveLength(1);
    await expectTrueBooks(parley);
  });

  it("holds nothing more where the conversation is deleted", async () => {
    const { parley, conversationId, goOn } = await turnBeforeItsCall(kind);
    const deleted = parley.ask(deleteConversation, { id: conversationId });
    while ((await parley.server.context.database.client.conversation.count()) > 0) await delay(5);
    await goOn();
    await deleted;
    expect(parley.standIn.requests).toHaveLength(1);
    await expectTrueBooks(parley);
  });
});
