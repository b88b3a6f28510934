import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, it } from "@jest/globals";
import type { AudioStore } from "../../src/storage/audio-store.js";
import { onEachDatabase } from "../helpers/databases.js";
import type { DatabaseKind } from "../helpers/databases.js";
import { gateInsertsInto } from "../helpers/gates.js";
import { askByText, deleteConversation, startedConversation, turnById } from "../helpers/operations.js";
import type { Usage } from "../helpers/operations.js";
import { TestParley } from "../helpers/parley.js";
import { Signal } from "../live/channel.js";

const readUsage = /* GraphQL */ `
  query ($id: ID!) {
    viewer {
      usage {
        outputAudioTokens
        estimated
      }
    }
    conversation(id: $id) {
      usage {
        outputAudioTokens
        estimated
      }
    }
  }
`;

function usages(parley: TestParley, id: string) {
  type Usages = { viewer: { usage: Partial<Usage> }; conversation: { usage: Partial<Usage> } | null };
  return parley.ask<Usages>(readUsage, { id });
}

/** One second, as the model itself has counted it. */
const whole = { usage: { outputAudioTokens: 20, estimated: false } };

/**
 * A turn that was taken over when its call had just been paid: its old server knows what that cost, and hears at the very
 * end that the turn is no longer its own. Until `release` it is about to write that end.
 */
async function takenOver(kind: DatabaseKind) {
  const parley = await TestParley.start(kind, { env: { LEASE_MS: "600000" } });
  const { client } = parley.server.context.database;
  const { come: reached, release } = holdCommits(parley.server.context.store);
  const conversationId = await startedConversation(parley);
  const { id } = await askByText(parley, conversationId, "Say 'one two three'", { waitMs: 0 });
  await reached;
  const data = { leaseOwner: "srv_dead", leaseExpiresAt: new Date(0) };
  await client.turn.update({ where: { id }, data });
  return { parley, client, conversationId, id, release };
}

/** Sound gets its name when it is released; `come` resolves when the first is about to. */
function holdCommits(store: AudioStore): { come: Promise<undefined>; release: () => void } {
  const [reached, released] = [new Signal(), new Signal()];
  const create = store.create.bind(store);
  store.create = async (key) => {
    const draft = await create(key);
    const commit = draft.commit.bind(draft);
    draft.commit = async (...names) => {
      reached.tell(undefined);
      await released.come;
      return commit(...names);
    };
    return draft;
  };
  return { come: reached.come, release: () => released.tell(undefined) };
}

/** Resolves when the server has done with the turn, what it has cost included. */
async function doneWith(parley: TestParley, turnId: string): Promise<void> {
  while (parley.server.context.runner.isRunning(turnId)) await delay(5);
}

onEachDatabase("a call whose server has lost the turn", (kind) => {
  it("is counted by what it really used, and the turn comes to its end all the same", async () => {
    const { parley, conversationId, id, release } = await takenOver(kind);
    release();
    await doneWith(parley, id);
    expect(await usages(parley, conversationId)).toMatchObject({ viewer: whole, conversation: whole });
    const before = await usages(parley, conversationId);
    await parley.restart();
    expect(await turnById(parley, id)).toMatchObject({ status: "FAILED", error: { code: "INTERRUPTED" } });
    expect(await usages(parley, conversationId)).toEqual(before);
  });

  it("is counted for the viewer where the conversation is gone", async () => {
    const { parley, client, conversationId, id, release } = await takenOver(kind);
    await client.conversation.delete({ where: { id: conversationId } });
    release();
    await doneWith(parley, id);
    expect(await usages(parley, conversationId)).toMatchObject({ viewer: whole, conversation: null });
  });
});

describe("a call that is counted while its conversation is being deleted", () => {
  it.each([
    ["was counted by estimate before", true],
    ["was not counted before", false],
  ])("is counted once, and neither is broken off: it %s", async (_name, countedBefore) => {
    const { parley, client, conversationId, id, release } = await takenOver("postgresql");
    if (countedBefore) await parley.startAnother();
    expect(await client.modelCall.count()).toBe(countedBefore ? 1 : 0);
    const gate = await gateInsertsInto(parley.databaseUrl, "ModelCall");
    release();
    await gate.waiting(1);
    const deleted = parley.ask(deleteConversation, { id: conversationId });
    await gate.waiting(2, async () => (await client.conversation.count()) === 0);
    await gate.open();
    await deleted;
    await doneWith(parley, id);
    expect(await usages(parley, conversationId)).toMatchObject({ viewer: whole, conversation: null });
    expect(await client.modelCall.count()).toBe(1);
    expect(parley.log.filter((line) => line.includes("could not write the end"))).toEqual([]);
  });
});
